import { SnapshotStore } from '@switchyard/access';
import { Sql } from '@switchyard/database';
import { EgressPolicy } from '@switchyard/mcp-client';
import { QueueClient } from '@switchyard/queue';
import { Shutdown } from '@switchyard/service-kit';
import type { AgentRunnerConfig } from '../config.js';
import { HistoryRequests } from '../history/history-requests.service.js';
import { CallerGuard } from '../http/caller.guard.js';
import { ApiCallersService } from '../http/callers.service.js';
import { RefusalsService } from '../http/refusals.service.js';
import { RunsService } from '../runs/runs.service.js';
import { RunNews } from '../watch/run-news.service.js';
import { RunWatch } from '../watch/run-watch.service.js';
import { WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import { WordsOut } from '../watch/words-out.service.js';
import { ChatAgents } from './chat-agents.service.js';
import { ChatAnswers } from './chat-answers.service.js';
import { ChatApprovalsController } from './chat-approvals.controller.js';
import { ChatController } from './chat.controller.js';
import { ChatReplies } from './chat-replies.service.js';
import { ChatRunsRepository } from './chat-runs.repository.js';
import { ChatsService } from './chats.service.js';
import { ChatAgentsController } from './chat-agents.controller.js';
import { ConversationsController } from './conversations.controller.js';
import { ConversationsService } from './conversations.service.js';
import { DecisionsService } from './decisions.service.js';
import { OpenChats } from './open-chats.service.js';
import { RunStories } from './run-stories.service.js';

export const chatControllers = [
  ChatAgentsController,
  ChatApprovalsController,
  ChatController,
  ConversationsController,
];

/** Who calls this service over HTTP, for all of its routes. */
export function callerProviders({ adminKeySha256 }: AgentRunnerConfig) {
  type Given = [Sql, QueueClient, EgressPolicy, SnapshotStore, RefusalsService];
  return [
    RefusalsService,
    CallerGuard,
    {
      provide: ApiCallersService,
      inject: [Sql, QueueClient, EgressPolicy, SnapshotStore, RefusalsService],
      useFactory: (...[sql, queue, egress, snapshots, refusals]: Given) =>
        new ApiCallersService({ sql, queue, egress, snapshots, refusals, adminKeySha256 }),
    },
  ];
}

/** Live watching of runs, at both ends: the runner's and the watcher's. */
export const watchProviders = [RunNews, WordsOut, WatchedRunsRepository, RunWatch];

export function chatProviders(config: AgentRunnerConfig) {
  return [
    ...[ChatAgents, ChatRunsRepository, DecisionsService, RunStories, ChatAnswers],
    ...[ConversationsService, HistoryRequests],
    chatsService(config),
    {
      provide: OpenChats,
      inject: [SnapshotStore, Shutdown],
      useFactory: (snapshots: SnapshotStore, shutdown: Shutdown) =>
        new OpenChats(snapshots, shutdown, config.chat.streamsPerUser),
    },
    {
      provide: ChatReplies,
      inject: [OpenChats, RunStories, ChatAnswers, WatchedRunsRepository],
      useFactory: (
        ...[open, stories, answers, runs]: [OpenChats, RunStories, ChatAnswers, WatchedRunsRepository]
      ) => new ChatReplies({ open, stories, answers, runs, settings: config.chat }),
    },
  ];
}

function chatsService({ chat }: AgentRunnerConfig) {
  type Given = [
    ...[ChatAgents, ChatRunsRepository, RunsService],
    ...[WatchedRunsRepository, DecisionsService, RunNews],
  ];
  return {
    provide: ChatsService,
    inject: [ChatAgents, ChatRunsRepository, RunsService, WatchedRunsRepository, DecisionsService, RunNews],
    useFactory: (...[agents, chats, runs, watched, decisions, news]: Given) =>
      new ChatsService({ agents, chats, runs, watched, decisions, news }, chat.runsPerUser),
  };
}
