import { PlatformError } from '@switchyard/contracts';

/** People who are on their way to, or back from, one identity provider at the same moment. */
const mostAtOnce = 32;

/** Keeps a provider that never answers from holding all of a broker: the other providers' people pass. */
export class ProviderSlots {
  readonly #busy = new Map<string, number>();

  /** Throws `dependency_unavailable` at once where too many wait for that provider already. */
  async run<T>(providerId: string, work: () => Promise<T>): Promise<T> {
    const busy = this.#busy.get(providerId) ?? 0;
    if (busy >= mostAtOnce)
      throw new PlatformError('dependency_unavailable', {
        message: 'The identity provider does not answer.',
        retryAfterMs: 5_000,
      });
    this.#busy.set(providerId, busy + 1);
    try {
      return await work();
    } finally {
      const left = (this.#busy.get(providerId) ?? 1) - 1;
      if (left > 0) this.#busy.set(providerId, left);
      else this.#busy.delete(providerId);
    }
  }
}
