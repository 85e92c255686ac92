import { createHash, hkdfSync } from 'node:crypto';

const minimumBytes = 32;
const minimumDistinctBytes = 16;
const placeholder = /change.?me|default|example|insert|password|placeholder|replace|secret|switchyard/i;

/** The operators' key, in the form that wraps data keys. `id` names it in `vault.data_keys` and gives nothing away. */
export class MasterKey {
  private constructor(
    readonly id: string,
    readonly bytes: Buffer,
  ) {}

  /** Derives the wrapping key; throws where `masterKeyProblem` finds one. */
  static parse(text: string): MasterKey {
    const problem = masterKeyProblem(text);
    const bytes = decodeKey(text);
    if (problem || !bytes) throw new Error(`The master key ${problem}.`);
    const id = createHash('sha256')
      .update(derive(bytes, 'switchyard vault: master key id'))
      .digest('hex')
      .slice(0, 16);
    return new MasterKey(id, derive(bytes, 'switchyard vault: wrap data keys'));
  }
}

/** Why `text` cannot be a master key, or null. Never repeats the text. */
export function masterKeyProblem(text: string): string | null {
  const bytes = decodeKey(text);
  if (!bytes) return 'must be base64 or hex, for example the output of `openssl rand -base64 32`';
  if (placeholder.test(text) || placeholder.test(bytes.toString('latin1')))
    return 'must not be a placeholder or a default';
  if (bytes.length < minimumBytes) return `must be at least ${minimumBytes} bytes of base64 or hex`;
  if (isPredictable(bytes)) return 'must be random, for example the output of `openssl rand -base64 32`';
  return null;
}

function derive(bytes: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', bytes, Buffer.alloc(0), purpose, 32));
}

/** Hex goes first: hex digits are base64 letters too. */
function decodeKey(text: string): Buffer | null {
  if (/^([0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  return null;
}

/** Repeated patterns and counting bytes: what people type where a random key was asked for. */
function isPredictable(bytes: Buffer): boolean {
  if (new Set(bytes).size < minimumDistinctBytes) return true;
  const steps = new Set(Array.from(bytes.subarray(1), (byte, index) => (byte - bytes[index]! + 256) % 256));
  return steps.size <= 2;
}
