import { describe, expect, it } from '@jest/globals';
import { WantedResources } from './wanted-resources.js';

const notes = 'b0c1e6f2-3f0d-4c39-9a39-5d3d4b6f2a01';
const files = 'b0c1e6f2-3f0d-4c39-9a39-5d3d4b6f2a02';
const says = (replicaId: string, ...uris: string[]) => ({
  replicaId,
  resources: uris.map((uri) => ({ integrationId: notes, uri })),
});

describe('WantedResources', () => {
  it('holds what any replica wants, of each integration its own', () => {
    const wanted = new WantedResources();
    wanted.heard(says('a', 'x:2', 'x:1'));
    wanted.heard(says('b', 'x:1', 'x:3'));
    expect(wanted.of(notes)).toEqual(['x:1', 'x:2', 'x:3']);
    expect(wanted.of(files)).toEqual([]);
    wanted.heard(says('a'));
    expect(wanted.of(notes)).toEqual(['x:1', 'x:3']);
  });

  it('forgets a replica that is silent', () => {
    let now = 0;
    const wanted = new WantedResources(() => now);
    wanted.heard(says('a', 'x:1'));
    now = 30_000;
    wanted.heard(says('b', 'x:2'));
    now = 50_000;
    expect(wanted.of(notes)).toEqual(['x:2']);
  });
});
