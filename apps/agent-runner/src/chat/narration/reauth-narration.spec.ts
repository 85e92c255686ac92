import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import type { PlannedTool } from '../../runs/run-data.js';
import { type ConnectableCall, ReauthNarration } from './reauth-narration.js';

const call = (toolCallId: string, state: string, fields: object = {}): ConnectableCall => ({
  toolCallId,
  tool: { integrationId: 'i1', integrationSlug: 'up' } as PlannedTool,
  call: {
    ...{ step: 0, position: 0, callId: `${toolCallId}-call`, outwardName: 'up_list', state },
    asked: { id: 'c0', name: 'up_list', arguments: {} },
    outcome: { status: 'failed', error: new PlatformError('needs_reauth').toInfo() },
    ...{ decidedAt: null, createdAt: new Date(0), approval: null },
    ...fields,
  },
});
const part = (state: string, toolCallId: string) => ({
  ...{ type: 'data-needs_reauth', id: 'i1' },
  data: expect.objectContaining({ state, tool_call_id: toolCallId, integration: 'up' }),
});

describe('an integration to be connected, as a client is told of it', () => {
  it('is one part, for the first of the calls that wait for it', () => {
    const told = new ReauthNarration();
    expect(told.tell([call('a', 'ready'), call('b', 'waiting_reauth')])).toEqual([part('waiting', 'b')]);
    const both = [call('a', 'waiting_reauth'), call('b', 'waiting_reauth')];
    expect(told.tell(both)).toEqual([part('waiting', 'a')]);
    expect(told.tell(both)).toEqual([]);
    expect(new ReauthNarration().tell(both)).toEqual([part('waiting', 'a')]);
    const going = [call('a', 'ready', { outcome: null }), call('b', 'ready', { outcome: null })];
    expect(told.tell(going)).toEqual([part('connected', 'a')]);
    expect(told.tell(going)).toEqual([]);
  });

  it('that a client shows already is told again only when nothing waits for it any more', () => {
    const told = new ReauthNarration(new Map([['i1', 'a']]));
    expect(told.tell([call('a', 'waiting_reauth')])).toEqual([]);
    const cancelled = call('a', 'ended', { outcome: { status: 'cancelled' } });
    expect(told.tell([cancelled])).toEqual([part('cancelled', 'a')]);
  });

  it('is none where no call waits, or the tool is none of the plan', () => {
    const unknown = { ...call('a', 'waiting_reauth'), tool: undefined };
    expect(new ReauthNarration().tell([call('b', 'ended'), unknown])).toEqual([]);
  });
});
