import { Injectable } from '@nestjs/common';
import { PlatformError, queues, toPlatformError } from '@switchyard/contracts';
import type { ApiUser } from '@switchyard/identity';
import type { DecisionRefusedPart } from '@switchyard/models';
import { QueueClient } from '@switchyard/queue';
import { digestOf } from '../digest-of.js';
import { type WatchedCall, WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import { isSameJson } from './requests/same-json.js';
import { type Decided, settleDecisions, type UsersWord } from './settle-decisions.js';

const decideWithinMs = 10_000;

export type Decision = {
  readonly call: WatchedCall;
  readonly approved: boolean;
  readonly reason: string | null;
  /** JSON text of the arguments that the user was shown; null where their client does not say. */
  readonly shown: string | null;
};

/** What users of chats decide about calls, handed to dispatch: it knows who may, and keeps what was decided. */
@Injectable()
export class DecisionsService {
  constructor(
    private readonly queue: QueueClient,
    private readonly runs: WatchedRunsRepository,
  ) {}

  /**
   * Each by itself: one that is refused keeps no other from being taken. `words` are all that the user said, of calls too that wait no
   * more and of which nobody needs to be asked.
   */
  async decide(
    user: ApiUser,
    runId: string,
    { decisions, words }: { decisions: readonly Decision[]; words: readonly UsersWord[] },
  ): Promise<Decided> {
    const answers = await Promise.all(decisions.map((decision) => this.#decide(user, decision)));
    const taken = decisions.filter((_, at) => answers[at] === undefined).map(({ call }) => call.callId);
    const refused = answers.flatMap((answer) => (answer ? [[answer.approval_id, answer] as const] : []));
    const open = words.map(({ approvalId }) => approvalId).filter((id) => !taken.includes(id));
    const states = open.length > 0 ? await this.runs.approvalStates(runId, open) : new Map();
    return settleDecisions(words, { taken: new Set(taken), refused: new Map(refused), states });
  }

  async #decide(user: ApiUser, decision: Decision): Promise<DecisionRefusedPart | undefined> {
    const { orgId, userId, isAdmin, person } = user;
    const { call, approved, reason, shown } = decision;
    const { callId } = call;
    try {
      const answer = await this.queue.request(
        queues.approvalDecisions,
        {
          ...{ v: 1, orgId, callId, approved, reason },
          decider: { kind: 'user', userId, roles: person.roles, isAdmin },
          argumentsSha256: shown === null ? null : digestOfShown(shown, call),
        },
        { timeoutMs: decideWithinMs },
      );
      if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
      return undefined;
    } catch (thrown) {
      const { code, message } = toPlatformError(thrown);
      return { approval_id: callId, code, message };
    }
  }
}

/** The same JSON in another spelling is the same arguments. */
function digestOfShown(shown: string, { asked }: WatchedCall): string {
  const ours = JSON.stringify(asked.arguments);
  return digestOf(isSameJson(shown, ours) ? ours : shown);
}
