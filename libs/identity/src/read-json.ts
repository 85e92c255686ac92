const largestBytes = 256 * 1024;

/** A JSON object from an identity provider: in one request, before the signal, and not larger than such documents are. */
export async function readJson(
  send: typeof fetch,
  url: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const response = await send(url, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal,
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel().catch(() => undefined);
    throw new Error(`The identity provider answered ${response.status}.`);
  }
  const value: unknown = JSON.parse(await readText(response.body));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('The identity provider did not answer with a JSON object.');
  return value as Record<string, unknown>;
}

/** Leaving the loop ends the transfer. */
async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > largestBytes) throw new Error('The identity provider’s answer is too large.');
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
