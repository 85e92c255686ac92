import { PlatformError } from '@switchyard/contracts';
import type { ApiUser } from '@switchyard/identity';
import type { DecisionRefusedPart } from '@switchyard/models';
import { v7 } from 'uuid';
import type { NewRun, RunsService } from '../runs/runs.service.js';
import type { RunNews } from '../watch/run-news.service.js';
import type { WatchedCall, WatchedRun, WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import type { ChatAgents } from './chat-agents.service.js';
import type { ChatRun, ChatRunsRepository, Conversation } from './chat-runs.repository.js';
import { conversationIdOf } from './conversation-id.js';
import type { Decision, DecisionsService } from './decisions.service.js';
import type { KnownCall } from './narration/call-narration.js';
import type { KnownMessage } from './narration/narration.js';
import { isNameAlone } from './requests/approved-tools.js';
import { toDecisions, toolCallIdOf } from './requests/match-calls.js';
import { pendingTools } from './requests/pending-tools.js';
import { type RequestKey, requestKeyOf } from './requests/request-key.js';
import type { ChatRequest, ChatTurn } from './requests/chat-request.js';
import type { Decided } from './settle-decisions.js';

/** A run that a user's request has begun or brought forward, and what they have of it already. */
export type ChatTurnTaken = {
  readonly orgId: string;
  readonly runId: string;
  readonly conversationId: string;
  readonly known?: KnownMessage;
  readonly decided?: ReadonlySet<string>;
  readonly refused: readonly DecisionRefusedPart[];
};

type Parts = {
  readonly agents: ChatAgents;
  readonly chats: ChatRunsRepository;
  readonly runs: RunsService;
  readonly watched: WatchedRunsRepository;
  readonly decisions: DecisionsService;
  readonly news: RunNews;
};

/** What users do in chats: say something, decide, cancel. What became of it is a run. */
export class ChatsService {
  constructor(
    private readonly parts: Parts,
    private readonly runsPerUser: number,
  ) {}

  /**
   * A message that is sent again gives the run that it has begun. Throws `not_found` for another's conversation or agent,
   * `conflict` where a run of the conversation is open or none waits, `idempotency_conflict` for a key that was used for another
   * message, `rate_limited` where the user has too many runs that go on.
   */
  async take(user: ApiUser, request: ChatRequest): Promise<ChatTurnTaken> {
    const conversationId = request.chatId === undefined ? v7() : conversationIdOf(user, request.chatId);
    const conversation = await this.#own(user, conversationId);
    const { turn } = request;
    if (turn.kind === 'message')
      return this.#begin(user, { request, conversationId, conversation, text: turn.text });
    if (!conversation) throw new PlatformError('not_found', { message: 'There is no such conversation.' });
    return this.#decide(user, conversationId, turn);
  }

  /** The conversation's run that is open; undefined where none is, for a chat of which nobody heard too. */
  async openRun(user: ApiUser, chatId: string): Promise<ChatRun | undefined> {
    const conversationId = conversationIdOf(user, chatId);
    if (!(await this.#own(user, conversationId))) return undefined;
    const run = await this.parts.chats.lastRun(conversationId);
    return run && !run.isOver ? run : undefined;
  }

  /** Throws `not_found` where there is no such conversation, and `conflict` where nothing of it is open. */
  async cancel(user: ApiUser, chatId: string): Promise<string> {
    const conversation = await this.#own(user, conversationIdOf(user, chatId));
    if (!conversation) throw new PlatformError('not_found');
    const run = await this.openRun(user, chatId);
    if (!run) throw new PlatformError('conflict', { message: 'No run of the conversation is open.' });
    await this.parts.runs.cancel(user.orgId, run.id);
    this.parts.news.changed(run.id);
    return run.id;
  }

  async #begin(
    user: ApiUser,
    { request, conversationId, conversation, text }: Beginning,
  ): Promise<ChatTurnTaken> {
    const named = request.agent ?? conversation?.agentId;
    if (named === undefined)
      throw new PlatformError('invalid_request', {
        message: 'Name the agent: `agent` is its slug or its id.',
      });
    const { id: agentId } = this.parts.agents.find(user, named);
    if (conversation && conversation.agentId !== agentId)
      throw new PlatformError('conflict', { message: 'The conversation is with another agent.' });
    const requestKey = requestKeyOf(request, conversationId);
    const begun = await this.#begun(user, requestKey);
    if (begun) return { orgId: user.orgId, conversationId, ...begun, refused: [] };
    await this.#assertFree(conversationId);
    const identity = await this.parts.agents.identity(user, agentId);
    const run: NewRun = {
      ...identity,
      agentId,
      conversationId,
      mostOfUser: this.runsPerUser,
      requestKey,
      input: { text, ...(request.filter && { filter: request.filter }) },
    };
    const taken = await this.parts.runs.start(run).then(
      (runId) => ({ runId }),
      async (thrown: unknown) => {
        // Two at once: the table lets one of them in, or the first has taken the last room.
        if (!isTwice(thrown) && !isCrowded(thrown)) throw thrown;
        const first = await this.#begun(user, requestKey);
        if (first) return first;
        if (isTwice(thrown)) await this.#assertFree(conversationId);
        throw thrown;
      },
    );
    return { orgId: user.orgId, conversationId, ...taken, refused: [] };
  }

  /** What a request that is sent again has begun. */
  async #begun(
    user: ApiUser,
    requestKey: RequestKey | undefined,
  ): Promise<{ runId: string; conversationId?: string } | undefined> {
    const run = requestKey && (await this.parts.chats.requested(user, requestKey.key));
    if (!run) return undefined;
    if (run.digest !== requestKey.digest) throw new PlatformError('idempotency_conflict');
    if (requestKey.isImplicit && !run.isLastWord) {
      await this.parts.chats.forgetRequest(run.id);
      return undefined;
    }
    return { runId: run.id, ...(run.conversationId && { conversationId: run.conversationId }) };
  }

  async #decide(
    user: ApiUser,
    conversationId: string,
    turn: Exclude<ChatTurn, { kind: 'message' }>,
  ): Promise<ChatTurnTaken> {
    const { orgId } = user;
    const last = await this.parts.chats.lastRun(conversationId);
    const run = last && (await this.parts.watched.find(orgId, last.id));
    if (!run || (last.isOver && turn.kind !== 'decisions'))
      throw new PlatformError('conflict', { message: 'No run of the conversation waits for a decision.' });
    const decided =
      turn.kind === 'decisions'
        ? await this.#decideShown(user, { run, turn, isOver: last.isOver })
        : await this.#approveTools(user, run, turn);
    const known = turn.kind === 'decisions' ? knownAfter(turn, run, decided) : undefined;
    return { orgId, runId: run.id, conversationId, known, decided: decided.over, refused: decided.refused };
  }

  /** What was decided elsewhere meanwhile, the user sees in any case; where they said otherwise, they are told so. */
  #decideShown(user: ApiUser, { run, turn, isOver }: Shown): Promise<Decided> {
    const decisions = isOver ? [] : toDecisions(turn, run, run.calls.filter(isWaiting));
    return this.parts.decisions.decide(user, run.id, { decisions, words: turn.decisions });
  }

  async #approveTools(user: ApiUser, run: WatchedRun, turn: ApprovedTools): Promise<Decided> {
    if (turn.tools.some(isNameAlone))
      throw await this.#nothingDecided(
        run,
        'A tool’s name alone is no approval: send back what `extra_fields.pending_mcp_tools` holds.',
      );
    const decisions: Decision[] = toDecisions(turn, run, run.calls.filter(isWaiting));
    if (decisions.length === 0)
      throw await this.#nothingDecided(run, 'None of these calls waits for a decision.');
    const words = decisions.map(({ call, approved }) => ({ approvalId: call.callId, approved }));
    return this.parts.decisions.decide(user, run.id, { decisions, words });
  }

  async #nothingDecided(run: WatchedRun, message: string): Promise<PlatformError> {
    const plan = (await this.parts.watched.frame(run.id))?.plan ?? null;
    const details = { run_id: run.id, pending: pendingTools(run, plan) };
    return new PlatformError('conflict', { message, details });
  }

  async #own({ orgId, userId }: ApiUser, conversationId: string): Promise<Conversation | undefined> {
    const conversation = await this.parts.chats.conversation(conversationId);
    if (conversation && (conversation.orgId !== orgId || conversation.userId !== userId))
      throw new PlatformError('not_found', { message: 'There is no such conversation.' });
    return conversation;
  }

  async #assertFree(conversationId: string): Promise<void> {
    const run = await this.parts.chats.lastRun(conversationId);
    if (!run || run.isOver) return;
    throw new PlatformError('conflict', {
      message: 'A run of the conversation is not over: wait for it, decide what it waits for, or cancel it.',
      details: { run_id: run.id, status: run.state, conversation_id: conversationId },
    });
  }
}

type Beginning = {
  readonly request: ChatRequest;
  readonly conversationId: string;
  readonly conversation: Conversation | undefined;
  readonly text: string;
};

type Decisions = Extract<ChatTurn, { kind: 'decisions' }>;
type ApprovedTools = Extract<ChatTurn, { kind: 'approved_tools' }>;
type Shown = { readonly run: WatchedRun; readonly turn: Decisions; readonly isOver: boolean };

/**
 * The user may decide anew what was refused while the call waits: the request for it is sent again. Of a call that is over, what was
 * decided takes the place of what they said: asked again, a client of `ai` would post its decision for ever.
 */
function knownAfter(
  { known, messageId, decisions }: Decisions,
  run: WatchedRun,
  { over, refused }: Decided,
): KnownMessage {
  if (messageId !== run.id)
    throw new PlatformError('conflict', {
      message: 'The message is not the last answer of the conversation.',
    });
  const calls = new Map(known.calls);
  for (const { approval_id: id } of refused) {
    const call = run.calls.find(({ callId }) => callId === id);
    const toolCallId = call && toolCallIdOf(run, call);
    const shown = toolCallId && calls.get(toolCallId);
    const said = decisions.find(({ approvalId }) => approvalId === id)?.approved;
    if (shown) calls.set(toolCallId, over.has(id) ? { ...shown, wasApproved: !said } : askedAnew);
  }
  return { ...known, calls };
}

const askedAnew: KnownCall = { hasEnded: false, approvalId: null };

function isWaiting({ state }: WatchedCall): boolean {
  return state === 'waiting_approval';
}

function isCrowded(thrown: unknown): boolean {
  return thrown instanceof PlatformError && thrown.code === 'rate_limited';
}

function isTwice(thrown: unknown): boolean {
  const { driverError } = thrown as { driverError?: { code?: string; constraint?: string } };
  return (
    driverError?.code === '23505' &&
    ['runs_one_open', 'runs_idempotency'].includes(driverError.constraint ?? '')
  );
}
