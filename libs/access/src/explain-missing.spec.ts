import { describe, expect, it } from '@jest/globals';
import { keyCaller, registered, snapshotOf, virtualKey } from '../test-fixtures/snapshot-builder.js';
import { explainMissing } from './explain-missing.js';
import type { IntegrationStateRecord } from './records.js';

const key = virtualKey({ mcpConfigs: [{ mcpClientName: 'files', toolsToExecute: ['read'] }] });
type State = IntegrationStateRecord['state'] | null;
const explain = (name: string, state: State, list = ['read', 'write']) => {
  const all = [
    registered({ slug: 'files' }, list, state),
    registered({ slug: 'mail' }, ['send'], 'disconnected'),
  ];
  return explainMissing(snapshotOf(all, [key]), keyCaller(key), name);
};

describe('explainMissing', () => {
  it('says that the integration of a granted tool is unavailable', () => {
    expect(explain('files_read', 'disconnected')).toMatchObject({
      code: 'integration_unavailable',
      slug: 'files',
    });
    expect(explain('files_read', 'disabled')).toMatchObject({ code: 'integration_unavailable' });
  });

  it('says so of an integration that was never listed', () => {
    expect(explain('files_anything', 'connecting', [])).toMatchObject({ code: 'integration_unavailable' });
    expect(explain('files_anything', 'disconnected', [])).toMatchObject({ code: 'integration_unavailable' });
    expect(explain('files_anything', null, [])).toMatchObject({ code: 'integration_unavailable' });
  });

  it.each(['connected', 'disconnected'] as const)(
    'says that there is no identity for the caller, %s or not',
    (state) => {
      const exchanged = [registered({ slug: 'files', authMode: 'token_exchange' }, ['read'], state)];
      const missing = explainMissing(snapshotOf(exchanged, [key]), keyCaller(key), 'files_read');
      expect(missing).toMatchObject({ code: 'auth_context_unavailable', slug: 'files' });
    },
  );

  it.each(['files_write', 'files_unknown', 'mail_send', 'mail_unknown', 'nothing'])('knows no %s', (name) => {
    expect(explain(name, 'disconnected')).toEqual({ code: 'tool_not_found' });
  });

  it('knows no unknown tool of a connected integration, an honest empty list included', () => {
    expect(explain('files_unknown', 'connected')).toEqual({ code: 'tool_not_found' });
    expect(explain('files_unknown', 'connected', [])).toEqual({ code: 'tool_not_found' });
  });
});
