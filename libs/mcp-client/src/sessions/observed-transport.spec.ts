import { beforeEach, describe, expect, it } from '@jest/globals';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { currentExchange, Exchange } from './exchange.js';
import { ObservedTransport } from './observed-transport.js';
import type { Question } from './questions.js';

/** One channel for all calls, as that of a stdio child. */
class Channel implements Transport {
  onmessage?: Transport['onmessage'];
  readonly sent: JSONRPCMessage[] = [];
  refusesWith: Exchange | undefined;

  async start(): Promise<void> {}
  async close(): Promise<void> {}
  async send(message: JSONRPCMessage): Promise<void> {
    this.sent.push(message);
    if (!this.refusesWith) return;
    this.refusesWith.facts.response = { status: 400, hadSession: false };
    throw new Error('refused');
  }

  says(message: object): void {
    this.onmessage?.({ jsonrpc: '2.0', ...message } as JSONRPCMessage);
  }
}

describe('a channel that several callers share', () => {
  let channel: Channel;
  let transport: ObservedTransport;
  let nextId: number;
  beforeEach(() => {
    channel = new Channel();
    transport = new ObservedTransport(channel);
    transport.takeQuestions();
    nextId = 1;
  });

  /** A call that its server is busy with, and what its caller hears. */
  function call() {
    const heard: string[] = [];
    const exchange = new Exchange({
      isCall: true,
      capabilities: { elicitation: {} },
      onLog: ({ data }) => heard.push(`log ${String(data)}`),
      onQuestion: async ({ params }: Question) => {
        heard.push(`asked ${String(params['message'])}`);
        return { result: { action: 'decline' } };
      },
    });
    const id = nextId++;
    const sent = currentExchange.run(exchange, () =>
      transport.send({ jsonrpc: '2.0', id, method: 'tools/call' }),
    );
    return { id, exchange, heard, sent };
  }

  const speak = (): void => {
    channel.says({ id: 'q', method: 'elicitation/create', params: { message: 'secret' } });
    channel.says({ method: 'notifications/message', params: { level: 'info', data: 'secret' } });
  };
  const wholeTalk = ['asked secret', 'log secret'];
  const refusals = () => channel.sent.filter((message) => 'error' in message && message.id === 'q');

  it('gives what the server says to the one call that it is busy with', async () => {
    const { heard } = call();
    speak();
    expect(heard).toEqual(wholeTalk);
  });

  it('gives nobody what may be about a call that ended unanswered, until the server answers that one', async () => {
    const alice = call();
    transport.end(alice.exchange);
    const bob = call();
    speak();
    expect(bob.heard).toEqual([]);
    expect(refusals()).toHaveLength(1);
    channel.says({ id: alice.id, result: {} });
    speak();
    expect(bob.heard).toEqual(wholeTalk);
    expect(alice.heard).toEqual([]);
  });

  it('remembers a call that was cancelled, too', async () => {
    const { id } = call();
    await transport.send({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: id },
    });
    const bob = call();
    speak();
    expect(bob.heard).toEqual([]);
  });

  it('remembers that there were more than it can tell apart', () => {
    for (let n = 0; n < 1_001; n++) transport.end(call().exchange);
    for (let id = 1; id <= 1_001; id++) channel.says({ id, result: {} });
    const bob = call();
    speak();
    expect(bob.heard).toEqual([]);
    expect(transport.exchanges.lastStrayAt).not.toBeNull();
  });

  it('has nothing to remember of requests that were answered, refused, or nobody’s', async () => {
    const answered = call();
    channel.says({ id: answered.id, result: {} });
    transport.end(answered.exchange);
    const ping = new Exchange();
    await currentExchange.run(ping, () => transport.send({ jsonrpc: '2.0', id: 'p', method: 'ping' }));
    transport.end(ping);
    const refused = new Exchange({ isCall: true });
    channel.refusesWith = refused;
    const sending = currentExchange.run(refused, () =>
      transport.send({ jsonrpc: '2.0', id: 'r', method: 'tools/call' }),
    );
    await expect(sending).rejects.toThrow('refused');
    transport.end(refused);
    channel.refusesWith = undefined;
    const { heard } = call();
    speak();
    expect(heard).toEqual(wholeTalk);
  });

  it('lets a call ask so much at once and no more, and nothing that is huge', async () => {
    const answers: (() => void)[] = [];
    const exchange = new Exchange({
      isCall: true,
      capabilities: { elicitation: {} },
      onQuestion: () => new Promise((resolve) => answers.push(() => resolve({ result: {} }))),
    });
    await currentExchange.run(exchange, () =>
      transport.send({ jsonrpc: '2.0', id: 1, method: 'tools/call' }),
    );
    const ask = (id: string, message: string): void =>
      channel.says({ id, method: 'elicitation/create', params: { message } });
    const errors = () => channel.sent.flatMap((message) => ('error' in message ? [message.id] : []));
    ask('huge', 'x'.repeat(256 * 1024));
    for (let n = 0; n < 20; n++) ask(`q${n}`, 'small');
    expect(answers).toHaveLength(16);
    expect(errors()).toEqual(['huge', 'q16', 'q17', 'q18', 'q19']);
    answers[0]!();
    await new Promise(setImmediate);
    ask('q20', 'small');
    expect(answers).toHaveLength(17);
  });

  it('gives no other call what comes on the stream of one that is over', () => {
    const alice = call();
    channel.says({ id: alice.id, result: {} });
    const bob = call();
    currentExchange.run(alice.exchange, speak);
    expect([...alice.heard, ...bob.heard]).toEqual([]);
  });
});
