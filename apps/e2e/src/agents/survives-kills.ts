import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import type { RunView, Webhook } from '../harness/agents-api.js';
import { type ConnectedFixture, connectFixture, undoAfterAll } from '../harness/connected-fixture.js';
import { inParallel } from '../harness/http.js';
import type { AgentsUnderTest } from './agents-under-test.js';
import { deliver } from './deliveries.js';
import { exportedRuns } from './exported-runs.js';
import { killAtRandom } from './random-kills.js';
import type { Turn } from './scripts.js';

const count = 200;
const unsafe = 'count-side-effect';
const seed = Number(process.env['E2E_SEED'] ?? 5);
const killsLimitMs = 40_000;
const ms = 1_000;
/** So many are on their way when the first process is killed. */
const head = 100;

type Run = Omit<RunView, 'approvals'>;

/** Two turns with calls, of which two have an effect that must not come twice, and words. */
const when = { last_user_matches: 'run (\\d+)\\.' };
const turns: Turn[] = [
  {
    ...{ times: 'any', when: { ...when, step: 0 } },
    answer: {
      delay_ms: 300,
      tool_calls: [
        { name: 'crashing_safe-read', arguments: { id: '{{1}}', ms } },
        { name: `crashing_${unsafe}`, arguments: { id: '{{1}} first', ms } },
      ],
    },
  },
  {
    ...{ times: 'any', when: { ...when, step: 1 } },
    answer: {
      delay_ms: 300,
      tool_calls: [{ name: `crashing_${unsafe}`, arguments: { id: '{{1}} second', ms } }],
    },
  },
  { times: 'any', when: { ...when, step: 2 }, answer: { delay_ms: 300, text: 'Done: run {{1}}.' } },
];

/** Runs while whoever drives them, and whoever makes their calls, is killed at random moments. */
export function survivesKills({ switchyard, agents, script }: AgentsUnderTest): void {
  describe(`${count} runs, while agent runners and workers are killed (seed ${seed})`, () => {
    const undo = undoAfterAll();
    let fixture: ConnectedFixture;
    let webhook: Webhook;
    let runs: Run[];
    const numberOf = new Map<string, number>();

    /** What the model was asked in a run, step by step. */
    const askedIn = (run: Run) => {
      const mark = `run ${numberOf.get(run.id)}.`;
      return agents()
        .model.requests()
        .filter(({ messages }) =>
          messages.some(({ role, content }) => role === 'user' && String(content).includes(mark)),
        )
        .map(({ at, messages }) => ({
          at: Date.parse(at),
          step: messages.filter(({ role }) => role === 'assistant').length,
          text: JSON.stringify(messages.filter(({ role }) => role === 'tool')),
        }));
    };

    /** A sender sends again until it is told that the delivery is taken. */
    const send = (n: number) =>
      eventually(
        async () => {
          const answer = await deliver(switchyard(), webhook, { id: `msg_${n}`, body: `run ${n}.` });
          if (answer.status >= 300) throw new Error(`delivery ${n}: ${answer.status} ${answer.text}`);
          numberOf.set(answer.body.run_id, n);
          return true;
        },
        { timeoutMs: 150_000, intervalMs: 200 },
      );

    beforeAll(async () => {
      script(turns);
      fixture = await connectFixture(switchyard(), 'crashing', undo);
      const agent = await agents().make('crashing', { crashing: ['*'] }, { tool_deadline_ms: 120_000 });
      webhook = await agents().webhook(agent);
    });

    it('all end, though no process lives for long', async () => {
      let isOver = false;
      const ending = (async () => {
        await inParallel([...Array(count).keys()], 32, send);
        await eventually(
          async () => {
            const open = (await exportedRuns(agents().admin, { webhook_id: webhook.id })).filter(
              ({ state }) => state !== 'completed',
            );
            if (open.length > 0)
              throw new Error(`${open.length} are open, such as ${JSON.stringify(open[0])}`);
            return true;
          },
          { timeoutMs: 150_000, intervalMs: 500 },
        );
      })().finally(() => (isOver = true));
      await eventually(() => numberOf.size >= head);
      const [kills] = await Promise.all([
        killAtRandom(switchyard(), {
          ...{ services: ['agent-runner', 'dispatch'], seed, limitMs: killsLimitMs },
          isOver: () => isOver,
        }),
        ending,
      ]);
      process.stdout.write(`killed: ${JSON.stringify(kills)}\n`);
      for (const service of ['agent-runner', 'dispatch']) expect(kills[service]).toBeGreaterThanOrEqual(3);

      runs = await exportedRuns(agents().admin, { webhook_id: webhook.id });
      expect(runs.map(({ id }) => id).sort()).toEqual([...numberOf.keys()].sort());
      expect(new Set(numberOf.values()).size).toBe(count);
      for (const run of runs)
        expect(run).toMatchObject({
          ...{ state: 'completed', output: { text: `Done: run ${numberOf.get(run.id)}.` } },
          steps: [{ position: 0 }, { position: 1 }, { position: 2 }],
          calls: [
            { tool: 'crashing_safe-read' },
            { tool: `crashing_${unsafe}` },
            { tool: `crashing_${unsafe}` },
          ],
        });
    }, 300_000);

    it('no tool with an effect ran twice, and what is not known is said to the model', () => {
      const ran = fixture.upstream.callsOf(unsafe).map((call) => String(call.arguments['id']));
      expect(ran.filter((id, at) => ran.indexOf(id) !== at)).toEqual([]);
      const calls = runs.flatMap((run) => run.calls.map((call) => ({ run, call })));
      const ends = Object.groupBy(calls, ({ call }) => call.status ?? 'none');
      const { completed = [], outcome_unknown: unknown = [], ...others } = ends;
      expect(others).toEqual({});
      const known = completed.filter(({ call }) => call.tool.endsWith(unsafe));
      expect(known.filter(({ call }) => !ran.includes(String(call.arguments['id'])))).toEqual([]);
      for (const { run, call } of unknown) {
        expect(call.tool).toBe(`crashing_${unsafe}`);
        const later = askedIn(run).filter(({ step }) => step > call.step);
        expect(later.map(({ text }) => text.includes('(outcome_unknown)'))).not.toContain(false);
        expect(later.length).toBeGreaterThan(0);
      }
    });

    it('no step was asked of the model again after its answer was stored', () => {
      const late = runs.flatMap((run) =>
        askedIn(run).filter(({ step, at }) => at > Date.parse(run.steps[step]?.ended_at ?? '')),
      );
      expect(late).toEqual([]);
      const asked = runs.flatMap(askedIn).length;
      // Else nothing was on its way when it was killed, and nothing was shown.
      const unknown = runs.flatMap(({ calls }) => calls).filter(({ status }) => status === 'outcome_unknown');
      const reads = fixture.upstream.callsOf('safe-read').length;
      process.stdout.write(`asked ${asked} times, read ${reads} times, ${unknown.length} unknown\n`);
      expect(asked + reads + unknown.length).toBeGreaterThan(count * (turns.length + 1));
    });
  });
}
