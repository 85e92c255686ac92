import { afterAll, beforeAll } from '@jest/globals';
import { startScriptedModel } from '@switchyard/demo-model';
import { AgentsApi } from '../harness/agents-api.js';
import { ChatUser } from '../harness/chat-user.js';
import { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';
import type { Turn } from './scripts.js';

const users = {
  alice: { roles: ['admin'] },
  dora: { roles: ['approver'] },
  bob: { roles: [] },
  carol: { roles: [] },
  robot: { roles: [] },
};

/** Agents by a scripted model, and the people around them. Only inside tests and hooks: made in `beforeAll`. */
export type AgentsUnderTest = {
  readonly switchyard: () => Switchyard;
  readonly people: () => People;
  readonly agents: () => AgentsApi;
  /** What the model does from now on; forgets what it was asked. */
  readonly script: (turns: Turn[]) => void;
  readonly chatAs: (user: string) => Promise<ChatUser>;
};

export function agentsUnderTest(switchyard: () => Switchyard): AgentsUnderTest {
  let people: People;
  let agents: AgentsApi;
  beforeAll(async () => {
    people = await People.start(switchyard(), { users });
    agents = new AgentsApi(switchyard().admin, await startScriptedModel({ turns: [] }));
  });
  afterAll(async () => {
    await agents?.model.close();
    await people?.close();
  });
  return {
    switchyard,
    people: () => people,
    agents: () => agents,
    script: (turns) => agents.model.reset({ turns }),
    chatAs: async (user) => new ChatUser(switchyard().origin(), await people.tokenOf(user)),
  };
}
