/** Of a token and not of its person, or of no use to a policy. */
const protocolClaims = new Set(
  'iss aud exp iat nbf jti nonce at_hash c_hash s_hash sid azp auth_time typ session_state acr amr'.split(' '),
);
const mostBytes = 16_384;

/**
 * What a session keeps of a person's claims, so that policies can be asked about them as long as it lives. Too many
 * together: the largest are left out, for a claim that is absent matches no policy.
 */
export function sessionClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sized = Object.entries(claims)
    .filter(([name, value]) => !protocolClaims.has(name) && value !== undefined && value !== null)
    .map(([name, value]) => ({ name, value, bytes: Buffer.byteLength(JSON.stringify([name, value])) }))
    .filter(({ name, value }) => isStorable(JSON.stringify([name, value])))
    .sort((a, b) => a.bytes - b.bytes);
  const kept: Record<string, unknown> = {};
  let bytes = 0;
  for (const { name, value, bytes: size } of sized) {
    bytes += size;
    if (bytes > mostBytes) break;
    kept[name] = value;
  }
  return kept;
}

/** PostgreSQL's jsonb takes neither a zero character nor half of a surrogate pair. */
function isStorable(json: string): boolean {
  return !/\\u0000|\\ud[89a-f]/i.test(json);
}
