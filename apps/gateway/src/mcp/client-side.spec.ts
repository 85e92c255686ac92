import { describe, expect, it } from '@jest/globals';
import { clientSideOf, isWanted, missingCapability } from './client-side.js';

const form = { method: 'elicitation/create', params: { message: 'Who?' } };
const url = { method: 'elicitation/create', params: { mode: 'url', url: 'https://a.test' } };
const sample = { method: 'sampling/createMessage', params: {} };
const withTools = { method: 'sampling/createMessage', params: { tools: [] } };
const roots = { method: 'roots/list' };

describe('missingCapability', () => {
  it.each<[string, unknown, object, object | undefined | null]>([
    ['a form of a client that declared no mode', form, { elicitation: {} }, undefined],
    ['a form', form, { elicitation: { form: {} } }, undefined],
    [
      'a form of a client that opens URLs alone',
      form,
      { elicitation: { url: {} } },
      { elicitation: { form: {} } },
    ],
    ['a URL', url, { elicitation: { form: {}, url: {} } }, undefined],
    ['a URL of a client that declared no mode', url, { elicitation: {} }, { elicitation: { url: {} } }],
    ['anything of a client that declared nothing', sample, {}, { sampling: {} }],
    ['a sample', sample, { sampling: {} }, undefined],
    ['a sample with tools', withTools, { sampling: {} }, { sampling: { tools: {} } }],
    ['roots', roots, { roots: { listChanged: true } }, undefined],
    ['what is no question', { method: 'tools/call' }, { elicitation: {} }, null],
    ['what is no request', 'roots/list', { roots: {} }, null],
  ])('of %s', (_what, request, declared, missing) => {
    expect(missingCapability(request, declared)).toEqual(missing);
  });
});

describe('clientSideOf', () => {
  it('is what can be asked of the client, and nothing where that is nothing', () => {
    const declared = { elicitation: { url: {} }, experimental: {}, roots: 'yes' };
    expect(clientSideOf(declared, undefined)).toEqual({ capabilities: { elicitation: { url: {} } } });
    expect(clientSideOf({ experimental: {} }, 'info')).toEqual({ logLevel: 'info' });
    expect(clientSideOf(undefined, undefined)).toBeUndefined();
  });
});

describe('isWanted', () => {
  it.each([
    ['info', 'info', true],
    ['debug', 'info', false],
    ['emergency', 'error', true],
    ['of a vendor’s own', 'error', true],
    ['emergency', undefined, false],
  ] as const)('%s from %s on: %s', (level, lowest, expected) => {
    expect(isWanted(level, lowest)).toBe(expected);
  });
});
