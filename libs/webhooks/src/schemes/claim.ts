/** Headers as Node gives them: lower-case names. */
export type WebhookHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Why a delivery is refused. Told to the admin's history, never to the sender. */
export const refusalReasons = [
  'signature_missing',
  'signature_malformed',
  'signature_wrong',
  'timestamp_missing',
  'timestamp_malformed',
  'timestamp_too_old',
  'timestamp_in_future',
  'id_missing',
  'id_malformed',
  'key_malformed',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** A reason not to believe a delivery. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(readonly reason: RefusalReason) {
    super(reason);
  }
}

/** What a delivery claims, before anything of it is believed. */
export type Claim = {
  readonly algorithm: 'sha256' | 'sha512';
  /** What is signed, in order, before the body. */
  readonly before: string;
  /** Several where the sender rotates its key: one of them has to be right. */
  readonly signatures: readonly Buffer[];
  /** Seconds since the epoch; null where the scheme signs no time. */
  readonly timestamp: number | null;
  /** The sender's id of the delivery; null where the scheme signs none. */
  readonly id: string | null;
  /**
   * What makes two deliveries without a signed id one. `body`: vendors whose bodies name their event, and who sign
   * anew when they send one again. `signed`: equal bodies at two times are two deliveries.
   */
  readonly sameBy: 'body' | 'signed';
};

/** More signatures than a rotation needs only cost us time. */
const mostSignatures = 8;

/** One value of a header; a header that came twice is none. */
export function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function required(value: string | undefined, reason: RefusalReason): string {
  if (value === undefined) throw new Refusal(reason);
  return value;
}

/** Seconds in digits alone: with a sign, a point or a space two readings of one signed text would be possible. */
export function secondsOf(text: string | undefined): number {
  if (text === undefined) throw new Refusal('timestamp_missing');
  if (!/^\d{1,12}$/.test(text)) throw new Refusal('timestamp_malformed');
  return Number(text);
}

/** Signatures of the right length. Throws where none is one. */
export function decoded(
  texts: readonly string[],
  encoding: 'hex' | 'base64',
  algorithm: Claim['algorithm'],
): Buffer[] {
  const form = encoding === 'hex' ? /^[0-9a-fA-F]+$/ : /^[A-Za-z0-9+/]+={0,2}$/;
  const length = algorithm === 'sha256' ? 32 : 64;
  const signatures = texts
    .slice(0, mostSignatures)
    .filter((text) => form.test(text))
    .map((text) => Buffer.from(text, encoding))
    .filter((bytes) => bytes.length === length);
  if (signatures.length === 0) throw new Refusal('signature_malformed');
  return signatures;
}
