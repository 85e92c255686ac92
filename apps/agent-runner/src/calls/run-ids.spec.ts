import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { callIdOf, requestIdOf } from './run-ids.js';

const run = { id: '0197e6a0-0000-7000-8000-000000000001', createdAt: new Date(1_795_000_000_123) };
const asked = { step: 0, position: 0, modelCallId: 'call_1', attempt: 0 };

describe('the ids of a run', () => {
  it('are UUIDs that are the same each time and begin with the run’s time', () => {
    const id = callIdOf(run, asked);
    expect(z.uuid().parse(id)).toBe(callIdOf(run, { ...asked }));
    expect(id.charAt(14)).toBe('8');
    expect(parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(run.createdAt.getTime());
  });

  it('differ by run, step, place, the model’s own id and attempt', () => {
    const others = [
      callIdOf({ ...run, id: '0197e6a0-0000-7000-8000-000000000002' }, asked),
      ...[{ step: 1 }, { position: 1 }, { modelCallId: 'call_2' }, { attempt: 1 }].map((change) =>
        callIdOf(run, { ...asked, ...change }),
      ),
      requestIdOf(run, 0),
      requestIdOf(run, 1),
    ];
    expect(new Set([callIdOf(run, asked), ...others]).size).toBe(others.length + 1);
  });
});
