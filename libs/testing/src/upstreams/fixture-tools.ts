import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '@modelcontextprotocol/server';
import { defineTool, textResult, type FixtureTool } from './fixture-tool.js';

const integer = { type: 'integer' };
const string = { type: 'string' };
const READ_ONLY = { annotations: { readOnlyHint: true } };

/** The tools that every fixture upstream has. All but `safe-read`, `echo`, `add` and `whoami` are unsafe to repeat. */
export function fixtureTools(): FixtureTool[] {
  return [...plainTools(), ...sideEffectTools(), ...slowTools(), ...failingTools()];
}

function plainTools(): FixtureTool[] {
  return [
    defineTool('echo', { ...READ_ONLY, properties: { message: string }, required: ['message'] }, ({ args }) =>
      textResult(`Echo: ${String(args['message'])}`),
    ),
    defineTool(
      'add',
      {
        ...READ_ONLY,
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
        outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
      },
      ({ args }) => {
        const sum = Number(args['a']) + Number(args['b']);
        return { ...textResult(JSON.stringify({ sum })), structuredContent: { sum } };
      },
    ),
    defineTool('whoami', READ_ONLY, ({ ctx }) => {
      const headers = Object.fromEntries(ctx.http?.req?.headers ?? []);
      const seen = { headers, meta: ctx.mcpReq._meta ?? {} };
      return { ...textResult(JSON.stringify(seen)), structuredContent: seen };
    }),
    defineTool('big', { ...READ_ONLY, properties: { bytes: integer } }, ({ args }) =>
      textResult('x'.repeat(Number(args['bytes'] ?? 50 * 1024 * 1024))),
    ),
  ];
}

function sideEffectTools(): FixtureTool[] {
  return [
    defineTool('count-side-effect', { properties: { id: string, ms: integer } }, async ({ args, log }) => {
      log.add('count-side-effect', args);
      if (args['ms']) await delay(Number(args['ms']));
      return textResult(`Done: ${String(args['id'] ?? '')}`);
    }),
    defineTool(
      'safe-read',
      { ...READ_ONLY, properties: { id: string, ms: integer } },
      async ({ args, log }) => {
        log.add('safe-read', args);
        if (args['ms']) await delay(Number(args['ms']));
        return textResult(`Read: ${String(args['id'] ?? '')}`);
      },
    ),
  ];
}

function slowTools(): FixtureTool[] {
  return [
    defineTool(
      'slow',
      { properties: { ms: integer, steps: integer } },
      async ({ args, log, progress, ctx }) => {
        log.add('slow', args);
        const steps = Number(args['steps'] ?? 4);
        for (let step = 1; step <= steps; step++) {
          await delay(Number(args['ms'] ?? 100) / steps, undefined, { signal: ctx.mcpReq.signal }).catch(
            () => {
              log.add('slow-cancelled', args);
              throw new Error('cancelled');
            },
          );
          await progress(step, steps, `step ${step}`);
        }
        return textResult('Slept');
      },
    ),
    defineTool('hang', { properties: { id: string } }, async ({ args, log, ctx }) => {
      log.add('hang', args);
      await new Promise<void>((resolve) => ctx.mcpReq.signal.addEventListener('abort', () => resolve()));
      log.add('hang-cancelled', args);
      return textResult('never seen');
    }),
  ];
}

function failingTools(): FixtureTool[] {
  return [
    defineTool('fail', {}, ({ log, args }) => {
      log.add('fail', args);
      return { ...textResult('The tool failed on purpose.'), isError: true };
    }),
    defineTool('protocol-error', {}, () => {
      throw new ProtocolError(-32050, 'The upstream refused on purpose.', { hint: 'none' });
    }),
  ];
}

/** `count` tools named `tool-0001` and on. */
export function generatedTools(count: number): FixtureTool[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `tool-${String(index + 1).padStart(4, '0')}`;
    return defineTool(name, { ...READ_ONLY, properties: { value: string } }, ({ args }) =>
      textResult(`${name}: ${String(args['value'])}`),
    );
  });
}
