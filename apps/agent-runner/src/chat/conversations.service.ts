import { Injectable } from '@nestjs/common';
import { PlatformError, type RunState } from '@switchyard/contracts';
import type { ApiUser } from '@switchyard/identity';
import type { ChatMessage } from '@switchyard/models';
import { decodeCursor, encodeCursor, type Page, Rfc3339Time, toPage } from '@switchyard/service-kit';
import { z } from 'zod';
import { WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import { ChatAgents } from './chat-agents.service.js';
import { ChatRunsRepository, type ListedConversation } from './chat-runs.repository.js';
import { conversationIdOf } from './conversation-id.js';
import { RunStories } from './run-stories.service.js';

const titleLength = 80;
/** A page of a conversation ends with the turn with which its messages come to so much. */
const pageBytes = 8_000_000;
/** Of conversations, whose titles are read together: what was said first in one may be 64 KiB. */
const titlesAtOnce = 20;
const ListPosition = z.tuple([Rfc3339Time, z.uuid()]);
const MessagePosition = z.tuple([z.uuid()]);

export type ConversationSummary = {
  readonly id: string;
  readonly title: string;
  /** Null where the agent is gone. */
  readonly agent: { readonly id: string; readonly slug: string; readonly name: string } | null;
  readonly agent_id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly open_run: { readonly id: string; readonly status: RunState } | null;
};

/** `next_cursor` leads to what was said before. */
export type ConversationAnswer = ConversationSummary & {
  readonly messages: readonly ChatMessage[];
  readonly next_cursor: string | null;
};

type Paging = { readonly limit: number; readonly cursor?: string };

/** A user's own conversations. */
@Injectable()
export class ConversationsService {
  constructor(
    private readonly chats: ChatRunsRepository,
    private readonly runs: WatchedRunsRepository,
    private readonly stories: RunStories,
    private readonly agents: ChatAgents,
  ) {}

  async list(
    user: ApiUser,
    { limit, cursor, agent }: Paging & { readonly agent?: string },
  ): Promise<Page<ConversationSummary>> {
    const agentId = agent === undefined ? undefined : this.agents.find(user, agent).id;
    const after = cursor === undefined ? undefined : decodeCursor(ListPosition, cursor);
    const rows = await this.chats.list(user, { limit: limit + 1, agentId, after });
    const titles = await this.#titles(rows.map(({ id }) => id));
    return toPage(rows, limit, {
      item: (row) => this.#summary(row, titles),
      position: (row) => [row.position, row.id],
    });
  }

  /** The last turns, each the user's message and what the agent made of it, in the order in which they were. */
  async get(user: ApiUser, chatId: string, { limit, cursor }: Paging): Promise<ConversationAnswer> {
    const row = await this.#own(user, chatId);
    const before = cursor === undefined ? undefined : decodeCursor(MessagePosition, cursor)[0];
    const found = await this.chats.runIds(row.id, limit + 1, before);
    const runIds = found.slice(0, limit);
    const titles = await this.#titles([row.id]);
    const turns = await this.#turns(user.orgId, runIds);
    const last = runIds[turns.length - 1];
    const hasMore = found.length > turns.length && last !== undefined;
    return {
      ...this.#summary(row, titles),
      messages: turns.reverse().flat(),
      next_cursor: hasMore ? encodeCursor([last]) : null,
    };
  }

  /** As many of the first as make a page, one after the other: the results of a turn may be megabytes. */
  async #turns(orgId: string, runIds: readonly string[]): Promise<ChatMessage[][]> {
    const turns: ChatMessage[][] = [];
    for (let bytes = 0; bytes < pageBytes && turns.length < runIds.length;) {
      const turn = await this.#turn(orgId, runIds[turns.length] ?? '');
      bytes += Buffer.byteLength(JSON.stringify(turn));
      turns.push(turn);
    }
    return turns;
  }

  /** Throws `conflict` where a run of it is open. */
  async remove(user: ApiUser, chatId: string): Promise<void> {
    const { id } = await this.#own(user, chatId);
    if (await this.chats.remove(id)) return;
    throw new PlatformError('conflict', { message: 'A run of the conversation is open: cancel it first.' });
  }

  async #own(user: ApiUser, chatId: string): Promise<ListedConversation> {
    const row = await this.chats.find(user, conversationIdOf(user, chatId));
    if (!row) throw new PlatformError('not_found', { message: 'There is no such conversation.' });
    return row;
  }

  async #turn(orgId: string, runId: string): Promise<ChatMessage[]> {
    const run = await this.runs.find(orgId, runId);
    if (!run) return [];
    const said: ChatMessage = {
      id: `${run.id}-user`,
      role: 'user',
      metadata: { created_at: run.createdAt.toISOString() },
      parts: [{ type: 'text', text: run.input.text }],
    };
    return [said, await this.stories.messageOf(run)];
  }

  async #titles(ids: readonly string[]): Promise<Map<string, string>> {
    const titles = new Map<string, string>();
    for (let from = 0; from < ids.length; from += titlesAtOnce)
      for (const { id, input } of await this.chats.firstInputs(ids.slice(from, from + titlesAtOnce)))
        titles.set(id, [...(input?.text ?? '').slice(0, 2 * titleLength)].slice(0, titleLength).join(''));
    return titles;
  }

  #summary(
    { id, agentId, openRun, ...times }: ListedConversation,
    titles: ReadonlyMap<string, string>,
  ): ConversationSummary {
    return {
      id,
      title: titles.get(id) ?? '',
      agent: this.agents.describe(agentId) ?? null,
      agent_id: agentId,
      created_at: times.createdAt.toISOString(),
      updated_at: times.updatedAt.toISOString(),
      open_run: openRun && { id: openRun.id, status: openRun.state },
    };
  }
}
