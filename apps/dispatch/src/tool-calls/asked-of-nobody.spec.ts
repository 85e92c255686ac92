import { describe, expect, it } from '@jest/globals';
import type { ClientSide, ToolCallJob } from '@switchyard/contracts';
import { askedOfNobody } from './asked-of-nobody.js';

const jobOf = (client?: ClientSide) => ({ client }) as ToolCallJob;
const inputRequests = { a: { method: 'roots/list' }, b: { method: 'roots/list' } };
const asks = { resultType: 'input_required', inputRequests };

describe('askedOfNobody', () => {
  it('says what is asked of a call without a client', () => {
    for (const client of [undefined, { activeMs: 1 }, { activeMs: 1, capabilities: {} }])
      expect(askedOfNobody(jobOf(client), asks)).toMatchObject({
        failureClass: 'answered',
        error: { code: 'client_capability_missing', details: { methods: ['roots/list'] } },
      });
  });

  it('leaves to the face what its client can answer, and what asks nothing', () => {
    expect(askedOfNobody(jobOf({ activeMs: 1, capabilities: { sampling: {} } }), asks)).toBeNull();
    expect(askedOfNobody(jobOf(), { resultType: 'input_required', requestState: 's' })).toBeNull();
    expect(askedOfNobody(jobOf(), { content: [] })).toBeNull();
  });
});
