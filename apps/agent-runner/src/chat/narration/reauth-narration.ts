import type { ChatChunk } from '@switchyard/models';
import type { PlannedTool } from '../../runs/run-data.js';
import type { WatchedCall } from '../../watch/watched-runs.repository.js';
import { reauthPart } from './chat-parts.js';

export type ConnectableCall = {
  readonly call: WatchedCall;
  readonly toolCallId: string;
  readonly tool: PlannedTool | undefined;
};

/**
 * What a run's user has to connect: one part for each integration, by its id, however many calls wait for it, since one consent
 * lets all of them go on.
 */
export class ReauthNarration {
  /** The call of which the part of an integration that waits speaks. */
  readonly #shown: Map<string, string>;

  constructor(known: ReadonlyMap<string, string> = new Map()) {
    this.#shown = new Map(known);
  }

  /** All calls of a step. */
  tell(calls: readonly ConnectableCall[]): ChatChunk[] {
    const byIntegration = Map.groupBy(calls, ({ tool }) => tool?.integrationId);
    return [...byIntegration].flatMap(([id, own]) => (id === undefined ? [] : this.#part(id, own)));
  }

  #part(id: string, calls: readonly ConnectableCall[]): ChatChunk[] {
    const shown = this.#shown.get(id);
    const waiting = calls.find(({ call }) => call.state === 'waiting_reauth');
    if (waiting?.toolCallId === shown) return [];
    if (waiting) {
      this.#shown.set(id, waiting.toolCallId);
      return [{ type: 'data-needs_reauth', id, data: reauthPart(waiting, 'waiting') }];
    }
    const before = calls.find(({ toolCallId }) => toolCallId === shown);
    if (!before) return [];
    this.#shown.delete(id);
    return [{ type: 'data-needs_reauth', id, data: reauthPart(before, stateAfterWait(before.call)) }];
  }
}

function stateAfterWait({ outcome }: WatchedCall): 'connected' | 'cancelled' {
  return outcome?.['status'] === 'cancelled' ? 'cancelled' : 'connected';
}
