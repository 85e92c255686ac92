import { describe, expect, it } from '@jest/globals';
import { errorMetaKey, type ToolCallOutcome } from '@switchyard/contracts';
import { errorToMcp, outcomeToMcp } from './outcome-to-mcp.js';

const callId = '01890000-0000-7000-8000-000000000001';

describe('outcomeToMcp', () => {
  it('hands a completed result on as it came', () => {
    const result = {
      content: [{ type: 'image', data: 'aGk=', mimeType: 'image/png', vendor: { x: 1 } }],
      structuredContent: { a: [1] },
      isError: true,
      _meta: { 'com.example/key': 1 },
    };
    expect(outcomeToMcp({ callId, authPath: null, status: 'completed', result }, {})).toBe(result);
  });

  it('drops what the upstream said of its own connection', () => {
    const result = {
      content: [],
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'up' }, 'com.example/key': 1 },
    };
    expect(outcomeToMcp({ callId, authPath: null, status: 'completed', result }, {})).toEqual({
      content: [],
      _meta: { 'com.example/key': 1 },
    });
  });

  it('says which capability was missing beside the result that a tool made of that, and no other error', () => {
    const details = { required_capabilities: { elicitation: { form: {} } } };
    const found = { code: 'client_capability_missing', message: 'It cannot be asked.', details };
    const shown = (error: object, isError: boolean) => {
      const result = { content: [], isError, _meta: { [errorMetaKey]: error, 'com.example/key': 1 } };
      return outcomeToMcp({ callId, authPath: null, status: 'completed', result }, {})['_meta'];
    };
    const body = expect.objectContaining({ ...found, call_id: callId, next: expect.any(String) });
    expect(shown(found, true)).toEqual({ 'com.example/key': 1, [errorMetaKey]: body });
    for (const dropped of [shown(found, false), shown({ ...found, code: 'internal' }, true)])
      expect(dropped).toEqual({ 'com.example/key': 1 });
  });

  it('adds the content that every revision requires', () => {
    const outcome = {
      callId,
      authPath: null,
      status: 'completed',
      result: { structuredContent: { a: 1 } },
    } as const;
    expect(outcomeToMcp(outcome, {})).toEqual({ structuredContent: { a: 1 }, content: [] });
  });

  it.each(['failed', 'expired', 'cancelled', 'denied', 'outcome_unknown'] as const)(
    'shows a call that ended %s as an error result, with one object in text and structured form',
    (status) => {
      const error = {
        code: 'needs_reauth',
        message: 'Connect.',
        details: { reauth_url: 'https://x.example/c' },
      } as const;
      const outcome: ToolCallOutcome = { callId, authPath: 'needs_reauth', status, error };
      const result = outcomeToMcp(outcome, {});
      expect(result.isError).toBe(true);
      expect(result['structuredContent']).toMatchObject({
        code: 'needs_reauth',
        message: 'Connect.',
        call_id: callId,
        next: 'Open reauth_url and connect, then call again.',
        details: { reauth_url: 'https://x.example/c' },
      });
      expect(JSON.parse(String(result.content?.[0]?.['text']))).toEqual(result['structuredContent']);
    },
  );
});

describe('errorToMcp', () => {
  it('keeps the object out of structured content that a schema describes', () => {
    const error = { code: 'rate_limited', message: 'Slow down.', retryAfterMs: 500 } as const;
    const result = errorToMcp(error, { tool: { outputSchema: { type: 'object' } } });
    expect(result).not.toHaveProperty('structuredContent');
    expect(result['_meta']).toEqual({ [errorMetaKey]: expect.objectContaining({ retry_after_ms: 500 }) });
  });
});
