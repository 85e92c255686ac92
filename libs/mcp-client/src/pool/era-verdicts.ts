import type { PriorDiscovery } from '@modelcontextprotocol/client';

const MAX_VERDICTS = 10_000;

/**
 * Remembers which era a server speaks. A stale legacy verdict never corrects itself, since an upgraded server still
 * shakes hands: so every verdict expires.
 */
export class EraVerdicts {
  private readonly verdicts = new Map<string, { era: PriorDiscovery; expiresAt: number }>();

  constructor(private readonly ttlMs: number) {}

  get(key: string, now: number): PriorDiscovery | undefined {
    const found = this.verdicts.get(key);
    return found && found.expiresAt > now ? found.era : undefined;
  }

  set(key: string, era: PriorDiscovery, now: number): void {
    if (this.get(key, now)) return;
    this.verdicts.delete(key);
    if (this.verdicts.size >= MAX_VERDICTS) this.verdicts.delete(this.verdicts.keys().next().value!);
    this.verdicts.set(key, { era, expiresAt: now + this.ttlMs });
  }

  forget(keyPrefix: string): void {
    for (const key of this.verdicts.keys()) if (key.startsWith(keyPrefix)) this.verdicts.delete(key);
  }
}
