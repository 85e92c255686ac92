import { describe, expect, it } from '@jest/globals';
import { fairShare } from './fair-share.js';

describe('fairShare', () => {
  it.each([
    ['one replica takes all', { mine: 0, integrations: 7, replicas: 1 }, { give: 0, take: 7 }],
    ['a new replica takes its part', { mine: 0, integrations: 10, replicas: 2 }, { give: 0, take: 5 }],
    ['the old one gives the same part', { mine: 10, integrations: 10, replicas: 2 }, { give: 5, take: 0 }],
    ['a balanced fleet rests', { mine: 4, integrations: 7, replicas: 2 }, { give: 0, take: 0 }],
    ['nothing to watch', { mine: 0, integrations: 0, replicas: 3 }, { give: 0, take: 0 }],
    [
      'a replica that does not see itself yet',
      { mine: 0, integrations: 3, replicas: 0 },
      { give: 0, take: 3 },
    ],
  ])('%s', (_what, facts, expected) => {
    expect(fairShare(facts)).toEqual(expected);
  });

  it('leaves nothing unwatched and nothing to argue about', () => {
    for (let integrations = 0; integrations < 30; integrations += 1) {
      for (let replicas = 1; replicas < 6; replicas += 1) {
        const { take } = fairShare({ mine: 0, integrations, replicas });

        expect(take * replicas).toBeGreaterThanOrEqual(integrations);
        expect(fairShare({ mine: take, integrations, replicas })).toEqual({ give: 0, take: 0 });
      }
    }
  });
});
