const MAX_LENGTH = 200;
/** What may be a token, a code or a secret, for servers like to repeat what they were sent; error codes are not. */
const SECRET_LIKE = /[A-Za-z0-9_\-+/=.~]{20,}/g;

/** A vendor's words, fit for a log and a page: printable ASCII, short, and without anything that could be a secret. */
export function ownWords(text: unknown, secrets: readonly (string | null | undefined)[] = []): string {
  if (typeof text !== 'string') return '';
  let words = text.slice(0, 4_096);
  for (const secret of secrets) if (secret) words = words.replaceAll(secret, '[hidden]');
  return words
    .replace(/[^\x21-\x7e]+/g, ' ')
    .replace(SECRET_LIKE, (word) => (/^[a-z_]+$/.test(word) ? word : '[hidden]'))
    .trim()
    .slice(0, MAX_LENGTH);
}
