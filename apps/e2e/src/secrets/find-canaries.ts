type Form = { readonly name: string; readonly text: string };

/** Where a secret stands, plain or in a common encoding: `header (base64) in logs`. */
export function findCanaries(secrets: Record<string, string>, texts: Record<string, string>): string[] {
  return Object.entries(secrets).flatMap(([secret, value]) =>
    Object.entries(texts).flatMap(([place, text]) =>
      formsOf(value)
        .filter((form) => text.includes(form.text))
        .map((form) => `${secret} (${form.name}) in ${place}`),
    ),
  );
}

function formsOf(value: string): Form[] {
  return [
    { name: 'plain', text: value },
    { name: 'hex', text: Buffer.from(value).toString('hex') },
    { name: 'URL', text: encodeURIComponent(value) },
    ...[0, 1, 2].flatMap((offset) => [
      { name: 'base64', text: base64Core(value, offset, 'base64') },
      { name: 'base64url', text: base64Core(value, offset, 'base64url') },
    ]),
  ].filter(({ name, text }) => name === 'plain' || text !== value);
}

/** What base64 makes of the value behind so many bytes of another text, less the edges that its neighbours change. */
function base64Core(value: string, offset: number, encoding: 'base64' | 'base64url'): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]).toString(encoding);
  return encoded.slice(offset === 0 ? 0 : 4, -4);
}
