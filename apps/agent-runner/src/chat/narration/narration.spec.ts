import { describe, expect, it } from '@jest/globals';
import type { WatchedRun } from '../../watch/watched-runs.repository.js';
import { Narration } from './narration.js';

const run = (fields: Partial<WatchedRun> = {}): WatchedRun => ({
  ...{ id: 'run-1', orgId: 'org-1', agentId: 'agent-1', conversationId: null, input: { text: 'go' } },
  ...{ state: 'queued', output: null, error: null, createdAt: new Date(0) },
  usage: { input_tokens: null, output_tokens: null, total_tokens: null },
  ...{ steps: [], calls: [] },
  ...fields,
});

describe('a run, as a client is told of it', () => {
  it('says where it stands whenever that is news, and once', () => {
    const told = new Narration();
    const states = (state: WatchedRun['state']) =>
      told.state(run({ state })).map((chunk) => 'messageMetadata' in chunk && chunk.messageMetadata);
    told.start(run());
    expect(states('queued')).toEqual([]);
    expect(states('running')).toMatchObject([{ run_id: 'run-1', status: 'running' }]);
    expect(states('running')).toEqual([]);
    expect(states('waiting_reauth')).toMatchObject([{ status: 'waiting_reauth' }]);
    expect(states('waiting_reauth')).toEqual([]);
  });
});
