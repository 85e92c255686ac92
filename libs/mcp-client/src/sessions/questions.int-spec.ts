import { describe, expect, it } from '@jest/globals';
import type { QuestionAnswer, ToolResult } from '@switchyard/contracts';
import { askedUrl, startAskingUpstream } from '@switchyard/testing';
import { call, closing, connect, failureOf, target } from '../../test/sessions.js';
import type { AskCapabilities, Question } from './questions.js';

const everything: AskCapabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const named = (name: string): QuestionAnswer => ({ result: { action: 'accept', content: { name } } });
const textOf = ({ content }: ToolResult): unknown => content?.[0]?.['text'];

async function sessionWith(capabilities: AskCapabilities | undefined, era: 'legacy' | 'modern' = 'legacy') {
  const upstream = await startAskingUpstream({ era });
  closing.push(() => upstream.close());
  return { upstream, session: await connect(target(upstream.url), { capabilities }) };
}

describe('questions of a legacy server', () => {
  it('reach the client of the call, and the answer goes back unchanged', async () => {
    const { session } = await sessionWith(everything);
    const asked: Question[] = [];
    const answers: Record<string, QuestionAnswer> = {
      ask_form: named('Ada'),
      ask_url: { result: { action: 'accept' } },
      ask_sampling: {
        result: { role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'm' },
      },
      ask_roots: { result: { roots: [{ uri: 'file:///home' }] } },
    };
    const notified: unknown[] = [];
    for (const [name, answer] of Object.entries(answers)) {
      const onQuestion = async (question: Question) => (asked.push(question), answer);
      const onNotification = (method: string, params: object) => notified.push([method, params]);
      const result = await call(session, name, {}, { capabilities: everything, onQuestion, onNotification });
      expect(JSON.parse(String(textOf(result)).slice('Told: '.length))).toEqual(
        'result' in answer && answer.result,
      );
    }
    expect(asked.map(({ method, params }) => [method, params['mode'] ?? 'form'])).toEqual([
      ['elicitation/create', 'form'],
      ['elicitation/create', 'url'],
      ['sampling/createMessage', 'form'],
      ['roots/list', 'form'],
    ]);
    expect(asked[1]!.params).toMatchObject({ url: askedUrl, elicitationId: 'payment-1' });
    expect(notified).toEqual([['notifications/elicitation/complete', { elicitationId: 'payment-1' }]]);
  });

  it('passes a JSON-RPC error of the client on', async () => {
    const { session } = await sessionWith(everything);
    const onQuestion = async (): Promise<QuestionAnswer> => ({ error: { code: -1, message: 'no thanks' } });
    const failure = await failureOf(call(session, 'ask_form', {}, { capabilities: everything, onQuestion }));
    expect(JSON.stringify(failure)).toContain('no thanks');
  });

  it.each([
    ['ask_url', { elicitation: {} }],
    ['ask_form', { elicitation: { url: {} } }],
    ['ask_sampling', { elicitation: {} }],
    ['ask_roots', { elicitation: {} }],
  ] as const)('refuses %s for a client that declared %j alone', async (name, capabilities) => {
    // The session declares more than this call’s client can, as that of a stdio child does.
    const { session } = await sessionWith(everything);
    let asked = 0;
    const onQuestion = async () => (asked++, named('x'));
    await failureOf(call(session, name, {}, { capabilities, onQuestion }));
    expect(asked).toBe(0);
  });

  it('refuses every question of a call that nobody answers for', async () => {
    const { session } = await sessionWith(everything);
    const failure = await failureOf(call(session, 'ask_form'));
    const details = { required_capabilities: { elicitation: { form: {} } } };
    const error = { code: 'client_capability_missing', details };
    expect(failure).toMatchObject({ failureClass: 'answered', error });
  });

  it('that are refused stand beside the error result that a tool makes of the refusal', async () => {
    const { session } = await sessionWith(everything);
    const result = await call(session, 'ask_or_fail', {}, { capabilities: { sampling: {} } });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('client_capability_missing: ');
    expect(textOf(result)).toContain('did not declare elicitation.form');
    const details = { required_capabilities: { elicitation: { form: {} } } };
    expect(result['_meta']).toEqual({
      'io.switchyard/error': expect.objectContaining({ code: 'client_capability_missing', details }),
    });
    const onQuestion = async (): Promise<QuestionAnswer> => ({ error: { code: -1, message: 'no thanks' } });
    const answered = await call(session, 'ask_or_fail', {}, { capabilities: everything, onQuestion });
    expect(answered).toMatchObject({ isError: true });
    expect(answered).not.toHaveProperty('_meta');
  });

  it('belong to the call on whose stream they come, also of two at once', async () => {
    const { session } = await sessionWith(everything);
    const ask = (name: string) => {
      const onQuestion = async ({ params }: Question) =>
        named(`${name} was asked ${String(params['message'])}`);
      return call(session, 'ask_form', { message: name }, { capabilities: everything, onQuestion });
    };
    const [a, b] = await Promise.all([ask('a'), ask('b')]);
    expect(textOf(a)).toContain('a was asked a');
    expect(textOf(b)).toContain('b was asked b');
  });

  it('are refused where they could belong to either of two calls', async () => {
    const { session } = await sessionWith(everything);
    const hold = Promise.withResolvers<QuestionAnswer>();
    const onQuestion = () => hold.promise;
    const first = call(session, 'ask_form', {}, { capabilities: everything, onQuestion });
    // This one asks on the stream that both share.
    const failure = await failureOf(call(session, 'ask_url', {}, { capabilities: everything, onQuestion }));
    expect(JSON.stringify(failure)).toContain('not known for which call');
    hold.resolve(named('Ada'));
    expect(textOf(await first)).toContain('Ada');
  });

  it('end with the call', async () => {
    const { session } = await sessionWith(everything);
    const leaving = new AbortController();
    const ended = new Promise<void>((resolve) => {
      const onQuestion = ({ signal }: Question) => {
        signal.addEventListener('abort', () => resolve());
        leaving.abort();
        return new Promise<QuestionAnswer>(() => undefined);
      };
      const options = { capabilities: everything, onQuestion, signal: leaving.signal };
      void failureOf(call(session, 'ask_form', {}, options));
    });
    await ended;
  });

  it('passes on that a page must be visited first, with the page', async () => {
    const { session } = await sessionWith(everything);
    const { error } = await failureOf(call(session, 'needs_url'));
    expect(error.details).toMatchObject({
      upstream_code: -32042,
      upstream_data: { elicitations: [{ url: askedUrl }] },
    });
  });
});

describe('what a modern server asks', () => {
  const asks = { capabilities: everything };

  it('ends the call with its result, and is resumed with answers and state', async () => {
    const { session } = await sessionWith(undefined, 'modern');
    const first = await call(session, 'ask_twice', {}, asks);
    expect(first).toMatchObject({
      resultType: 'input_required',
      inputRequests: { first: { method: 'elicitation/create', params: { message: 'First?' } } },
      requestState: expect.any(String),
    });
    const answer = { action: 'accept', content: { name: 'Ada' } };
    const resume = { inputResponses: { first: answer }, requestState: first['requestState'] };
    const second = await call(session, 'ask_twice', {}, { ...asks, resume });
    expect(second).toMatchObject({ resultType: 'input_required', inputRequests: { second: {} } });
    const again = { inputResponses: { second: answer }, requestState: second['requestState'] };
    const last = await call(session, 'ask_twice', {}, { ...asks, resume: again });
    expect(last).not.toHaveProperty('resultType');
    expect(textOf(last)).toContain('Ada');
  });

  it('is refused by the server where the state was changed', async () => {
    const { session } = await sessionWith(undefined, 'modern');
    const resume = { inputResponses: {}, requestState: 'forged' };
    const { error } = await failureOf(call(session, 'ask_twice', {}, { ...asks, resume }));
    expect(error.details).toMatchObject({ upstream_code: -32602 });
  });

  it('is nothing where the call’s client declared nothing', async () => {
    const { session } = await sessionWith(undefined, 'modern');
    const { error } = await failureOf(call(session, 'ask_form'));
    expect(error.details).toMatchObject({ upstream_code: -32021 });
  });
});
