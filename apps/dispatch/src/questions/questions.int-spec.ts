import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  type ClientSide,
  type MessageOf,
  type QuestionAnswer,
  type ToolCallEvent,
  type ToolCallJob,
  type ToolCallOutcome,
  topics,
} from '@switchyard/contracts';
import { sealAnswer, Sealer } from '@switchyard/queue';
import {
  eventually,
  type FixtureUpstream,
  onBothQueueBackends,
  startAskingUpstream,
} from '@switchyard/testing';
import { type CallOptions, DispatchHarness } from '../dispatch-harness-spec.js';

type Asked = Extract<ToolCallEvent, { kind: 'question' }>;

const client: ClientSide = {
  capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
  activeMs: 20_000,
};
const deadlineMs = 620_000;
/** Of one tool that asks: a call of it may be stopped at any time. */
const annotations = { readOnlyHint: true };
const named = (name: string): QuestionAnswer => ({ result: { action: 'accept', content: { name } } });
const textOf = (outcome: ToolCallOutcome): string =>
  outcome.status === 'completed' ? String(outcome.result.content?.[0]?.['text']) : JSON.stringify(outcome);

onBothQueueBackends('questions of upstreams', (backend) => {
  let harness: DispatchHarness;
  let legacy: FixtureUpstream;
  let modern: FixtureUpstream;
  const ids: Record<string, string> = {};
  const told: MessageOf<typeof topics.questionAsked>[] = [];

  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    legacy = await startAskingUpstream({ era: 'legacy' });
    modern = await startAskingUpstream({ era: 'modern' });
    // The keys of the harness may use what is called so.
    ids['up'] = await insert('up', legacy);
    ids['limited'] = await insert('limited', modern);
    await harness.queue.subscribe(topics.questionAsked, (message) => void told.push(message));
    await harness.startWorker({ DISPATCH_INTERACTIVE_CONCURRENCY: '12' });
  }, 120_000);
  afterAll(async () => {
    await harness.close();
    await Promise.all([legacy.close(), modern.close()]);
  }, 60_000);

  const insert = (slug: string, upstream: FixtureUpstream) =>
    harness.insertIntegration(
      slug,
      { type: 'http', url: upstream.url },
      upstream.tools().map(({ wire }) => (wire.name === 'ask_twice' ? { ...wire, annotations } : wire)),
    );

  async function answer(job: ToolCallJob, { questionId }: Asked, given: QuestionAnswer, seal?: string) {
    const { callId } = job.sealed.call;
    const sealed = sealAnswer(harness.sealer, { id1: callId, id2: questionId, answer: given });
    const message = { callId, questionId, answer: given, seal: seal ?? sealed };
    await harness.queue.publish(topics.questionAnswered, message);
  }

  /** A call whose client answers each question as `reply` says; null leaves it open. */
  function ask(
    slug: string,
    tool: string,
    reply: (asked: Asked) => QuestionAnswer | null,
    more: CallOptions = {},
  ) {
    const args = (tool.startsWith('ask_') && tool !== 'ask_roots' && { message: `of ${randomUUID()}` }) || {};
    const job = harness.job(ids[slug]!, `${slug}_${tool}`, args, { client, deadlineMs, ...more });
    const events: ToolCallEvent[] = [];
    const outcome = harness.send(job, (event) => {
      events.push(event as ToolCallEvent);
      if ((event as ToolCallEvent).kind !== 'question') return;
      const given = reply(event as Asked);
      if (given) void answer(job, event as Asked, given);
    });
    const questions = () => events.filter((event): event is Asked => event.kind === 'question');
    return { job, args, events, questions, outcome };
  }

  it('of two callers at once on one legacy server reach each its own, and the answers too', async () => {
    const otherKey = randomUUID();
    await harness.insertKey(otherKey);
    const calls = [harness.keyId, otherKey].map((keyId) =>
      ask('up', 'ask_form', ({ params }) => named(`told ${String(params['message'])}`), { keyId }),
    );
    for (const { outcome, args, questions } of calls) {
      expect(textOf(await outcome)).toContain(`told ${String(args['message'])}`);
      expect(questions().map(({ params }) => params['message'])).toEqual([args['message']]);
    }
    for (const { job, questions } of calls) {
      const { callId } = job.sealed.call;
      const [{ questionId } = { questionId: '' }] = questions();
      expect(told.find((message) => message.callId === callId)).toMatchObject({ questionId });
    }
  });

  it('come on the standing stream too, one after the other, with what follows an answer', async () => {
    const url = ask('up', 'ask_url', () => ({ result: { action: 'accept' } }));
    expect(textOf(await url.outcome)).toContain('accept');
    await eventually(() => url.events.some((event) => event.kind === 'notification'));
    const twice = ask('up', 'ask_twice', ({ params }) => named(String(params['message'])));
    expect(textOf(await twice.outcome)).toMatch(/First.*Second/);
    const sampled = ask('up', 'ask_sampling', () => ({
      result: { role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'm' },
    }));
    expect(textOf(await sampled.outcome)).toContain('Paris');
  });

  it('take no notice of an answer that nobody sealed, or that was meant for another question', async () => {
    const call = ask('up', 'ask_form', () => null);
    await eventually(() => call.questions().length === 1);
    const [asked] = call.questions();
    const forger = new Sealer('another-key-for-tests-of-32-characters');
    const { callId } = call.job.sealed.call;
    const forged = { id1: callId, id2: asked!.questionId, answer: named('Mallory') };
    await answer(call.job, asked!, forged.answer, sealAnswer(forger, forged));
    const replayed = sealAnswer(harness.sealer, { ...forged, id2: randomUUID() });
    await answer(call.job, asked!, forged.answer, replayed);
    await answer(call.job, asked!, named('Ada'));
    expect(textOf(await call.outcome)).toContain('Ada');
  });

  it('end with the deadline, that of a safe call as failed and that of an unsafe one as unknown', async () => {
    const call = ask('up', 'ask_form', () => null, { deadlineMs: 1_500 });
    expect(await call.outcome).toMatchObject({ status: 'outcome_unknown' });
  });

  it('do not count as the upstream’s time', async () => {
    const slow = { ...client, activeMs: 1_200 };
    const call = ask('up', 'ask_form', () => null, { client: slow });
    await eventually(() => call.questions().length === 1);
    const asked = call.questions()[0]!;
    // Longer than the upstream itself may take.
    const askedAt = Date.now();
    await eventually(() => Date.now() - askedAt > slow.activeMs);
    await answer(call.job, asked, named('Ada'));
    expect(textOf(await call.outcome)).toContain('Ada');
  });

  it('are closed when the caller leaves, so that an unsafe call comes to its end', async () => {
    const call = ask('up', 'ask_form', () => null);
    await eventually(() => call.questions().length === 1);
    await harness.queue.publish(topics.toolCallCancel, { callId: call.job.sealed.call.callId });
    expect(textOf(await call.outcome)).toContain('"action":"cancel"');
  });

  it('of one caller, or of all, take no more than their part of a lane, and the rest is told so', async () => {
    const keys = [harness.keyId, randomUUID(), randomUUID()] as const;
    await Promise.all([harness.insertKey(keys[1]), harness.insertKey(keys[2])]);
    const parked: ReturnType<typeof ask>[] = [];
    const park = async (keyId: string): Promise<void> => {
      const call = ask('up', 'ask_form', () => null, { keyId });
      parked.push(call);
      await eventually(() => call.questions().length === 1);
    };
    for (let n = 0; n < 4; n++) await park(keys[0]);
    const fifth = ask('up', 'ask_form', () => named('x'), { keyId: keys[0] });
    expect(textOf(await fifth.outcome)).toContain('Too many questions to this caller are open already.');
    for (let n = 0; n < 2; n++) await park(keys[1]);
    const seventh = ask('up', 'ask_form', () => named('x'), { keyId: keys[2] });
    expect(textOf(await seventh.outcome)).toContain('Too many questions to callers are open already.');
    expect([...fifth.questions(), ...seventh.questions()]).toEqual([]);
    expect(textOf(await ask('up', 'quiet', () => null, { deadlineMs: 10_000 }).outcome)).toContain('Nothing');
    await answer(parked[0]!.job, parked[0]!.questions()[0]!, named('Ada'));
    await parked[0]!.outcome;
    const next = ask('up', 'ask_form', () => named('Eve'), { keyId: keys[2] });
    expect(textOf(await next.outcome)).toContain('Eve');
    for (const { job } of parked.slice(1))
      await harness.queue.publish(topics.toolCallCancel, { callId: job.sealed.call.callId });
    await Promise.all(parked.map(({ outcome }) => outcome));
  });

  it('end with a safe call that its caller cancels, at the upstream too', async () => {
    const call = ask('up', 'ask_twice', () => null);
    await eventually(() => call.questions().length === 1);
    await harness.queue.publish(topics.toolCallCancel, { callId: call.job.sealed.call.callId });
    expect(await call.outcome).toMatchObject({ status: 'cancelled' });
    await eventually(() => legacy.requests.includes('notifications/cancelled'));
    const [asked] = call.questions();
    await answer(call.job, asked!, named('too late'));
    expect(textOf(await ask('up', 'ask_twice', () => named('in time')).outcome)).not.toContain('too late');
  });

  it('are refused where the client declared less, or nothing', async () => {
    const less = ask('up', 'ask_sampling', () => named('x'), {
      client: { ...client, capabilities: { elicitation: {} } },
    });
    const details = { required_capabilities: { sampling: {} } };
    expect(await less.outcome).toMatchObject({
      status: 'failed',
      error: { code: 'client_capability_missing', details },
    });
    const nothing = ask('up', 'ask_form', () => named('x'), { client: undefined, deadlineMs: 10_000 });
    expect(await nothing.outcome).toMatchObject({ status: 'failed' });
    expect([...less.questions(), ...nothing.questions()]).toEqual([]);
  });

  it('of a modern server is a clear error where nobody can be asked', async () => {
    const { outcome } = ask('limited', 'ask_form', () => null, { client: undefined, deadlineMs: 10_000 });
    expect(await outcome).toMatchObject({ status: 'failed' });
  });

  it('passes on that a page must be visited first', async () => {
    const { outcome } = ask('up', 'needs_url', () => null);
    expect(await outcome).toMatchObject({
      status: 'failed',
      error: { details: { upstream_code: -32042, upstream_data: { elicitations: [{ mode: 'url' }] } } },
    });
  });

  it('of a modern server end the job with what it wants, and a job with the answers goes on', async () => {
    const first = await ask('limited', 'ask_form', () => null).outcome;
    expect(first).toMatchObject({
      status: 'completed',
      result: { resultType: 'input_required', inputRequests: { name: { method: 'elicitation/create' } } },
    });
    const requestState = first.status === 'completed' ? String(first.result['requestState']) : '';
    const resume = { requestState, inputResponses: { name: { action: 'accept', content: { name: 'Ada' } } } };
    const { outcome } = ask('limited', 'ask_form', () => null, { resume });
    expect(textOf(await outcome)).toContain('Ada');
  });

  it('runs no job whose answers are not those that were sealed', async () => {
    const inputResponses = { name: { action: 'accept', content: { name: 'Ada' } } };
    const job = harness.job(ids['limited']!, 'limited_ask_form', {}, { client, resume: { inputResponses } });
    const forged = { ...job, resume: { inputResponses: {} } };
    const before = modern.callsOf('ask_form').length;
    await expect(harness.send(forged)).rejects.toThrow();
    expect(modern.callsOf('ask_form')).toHaveLength(before);
  });

  it('gives a call the log messages that its client wants', async () => {
    for (const slug of ['up', 'limited']) {
      const call = ask(slug, 'log_some', () => null, { client: { activeMs: 20_000, logLevel: 'info' } });
      expect((await call.outcome).status).toBe('completed');
      await eventually(() => call.events.filter(({ kind }) => kind === 'log').length === 2);
      expect(call.events).toContainEqual(
        expect.objectContaining({ kind: 'log', level: 'warning', logger: 'fixture' }),
      );
    }
  });
});
