import { Injectable } from '@nestjs/common';
import { KeysService } from '../vault/keys.service.js';
import { type ChainedEvent, type ChainHead, emptyHead, eventHash, headSeal } from './audit-chain.js';
import { AuditEventsRepository } from './audit-events.repository.js';

export type Verification = { readonly status: 'intact'; readonly events: number } | Broken;
type Broken = { readonly status: 'broken'; readonly firstBroken: number; readonly why: BrokenBy };
export type BrokenBy = 'missing' | 'changed' | 'unlinked' | 'shortened' | 'head_missing' | 'head_forged';

const pageSize = 1_000;

/** Recomputes a chain from its first event to its head. */
@Injectable()
export class AuditVerificationService {
  constructor(
    private readonly rows: AuditEventsRepository,
    private readonly keys: KeysService,
  ) {}

  /** Events that are added meanwhile are left for the next time. */
  async verify(chain: string): Promise<Verification> {
    const head = await this.rows.head(chain);
    if (!head) return this.#withoutHead(chain);
    if (!headSeal(this.keys, chain, head).equals(head.seal)) return broken(head.sequence, 'head_forged');
    let last = emptyHead;
    while (last.sequence < head.sequence) {
      const events = await this.rows.after(chain, last.sequence, pageSize);
      const step = this.#walk(events, last, head);
      if (step.status === 'broken') return step;
      last = step.last;
    }
    return last.hash.equals(head.hash)
      ? { status: 'intact', events: last.sequence }
      : broken(last.sequence, 'changed');
  }

  /** One page of the chain. What lies behind the head was added after it was read. */
  #walk(
    events: readonly ChainedEvent[],
    from: ChainHead,
    head: ChainHead,
  ): Broken | { status: 'on'; last: ChainHead } {
    let last = from;
    for (const event of events) {
      if (last.sequence === head.sequence) break;
      const why = this.#problem(event, last);
      if (why) return broken(last.sequence + 1, why);
      last = { sequence: event.sequence, hash: event.hash };
    }
    return events.length === 0 ? broken(last.sequence + 1, 'shortened') : { status: 'on', last };
  }

  #problem(event: ChainedEvent, last: ChainHead): BrokenBy | null {
    if (event.sequence !== last.sequence + 1) return 'missing';
    if (!event.previousHash.equals(last.hash)) return 'unlinked';
    return eventHash(this.keys, event).equals(event.hash) ? null : 'changed';
  }

  async #withoutHead(chain: string): Promise<Verification> {
    const [first] = await this.rows.after(chain, 0, 1);
    return first ? broken(first.sequence, 'head_missing') : { status: 'intact', events: 0 };
  }
}

function broken(firstBroken: number, why: BrokenBy): Broken {
  return { status: 'broken', firstBroken, why };
}
