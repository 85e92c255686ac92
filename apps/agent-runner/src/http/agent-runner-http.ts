import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { answerUnreadBodies } from '../chat/answer-unread-bodies.js';
import { serveHooks } from '../hooks/serve-hooks.js';

/** The HTTP surface of the agent runner, for `runService`. */
export const agentRunnerHttp = {
  bodyLimitBytes: 1_048_576,
  async configure(app: NestFastifyApplication): Promise<void> {
    answerUnreadBodies(app);
    await serveHooks(app);
  },
};
