import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { booleanFlag, commaList, durationMs, portNumber } from './env-values.js';
import { ConfigError, loadConfig } from './load-config.js';
import { Secret, secret } from './secret.js';
import { serviceConfig, serviceEnv } from './service-env.js';

function configError(schema: z.ZodType, env: NodeJS.ProcessEnv): ConfigError {
  try {
    loadConfig('app', schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error('expected a ConfigError');
}

describe('loadConfig', () => {
  it('names every wrong setting at once', () => {
    const schema = z.object({ A_URL: z.url(), B_PORT: portNumber(), C_KEY: secret({ minLength: 32 }) });
    const { problems } = configError(schema, { A_URL: 'nonsense', B_PORT: '70000' });
    expect(problems.map((line) => line.split(/[ :]/)[0])).toEqual(['A_URL', 'B_PORT', 'C_KEY']);
  });

  it('never repeats a value', () => {
    const echo = z.string().refine(() => false, { error: ({ input }) => `bad value ${String(input)}` });
    const error = configError(z.object({ KEY: echo, SHORT: secret({ minLength: 32 }) }), {
      KEY: 'canary-one',
      SHORT: 'canary-two',
    });
    expect(`${error.message} ${error.stack} ${inspect(error)}`).not.toMatch(/canary/);
  });

  it('takes an empty variable as missing, so that defaults hold', () => {
    expect(loadConfig('app', z.object({ A: z.string().default('x') }), { A: '' })).toEqual({ A: 'x' });
  });

  it('gives a frozen object, deep down', () => {
    const nested = z.object({ A: z.string() }).transform(({ A }) => ({ deep: { a: A } }));
    const config = loadConfig('app', nested, { A: 'x' });
    expect(Object.isFrozen(config.deep)).toBe(true);
  });

  it('reads what every service has, with production as default', () => {
    const env = loadConfig('app', z.object(serviceEnv), {
      QUEUE_URL: 'redis://h',
      SWITCHYARD_SEAL_KEY: 'seal-key-of-this-test-0123456789',
    });
    expect(serviceConfig('app', env, { opsPort: 0 })).toMatchObject({
      env: 'production',
      host: '127.0.0.1',
      logLevel: 'info',
    });
  });
});

describe('environment values', () => {
  it.each([
    ['250', 250],
    ['250ms', 250],
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('reads the duration %s', (text, expected) => {
    expect(durationMs().parse(text)).toBe(expected);
  });

  it.each(['', '10 m', '-1s', '1.5s', 'soon'])('refuses the duration "%s"', (text) => {
    expect(durationMs().safeParse(text).success).toBe(false);
  });

  it('reads flags and lists', () => {
    expect(['true', 'ON', '0', 'no'].map((text) => booleanFlag().parse(text))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(booleanFlag().safeParse('maybe').success).toBe(false);
    expect(commaList().parse(' a, b,,c ')).toEqual(['a', 'b', 'c']);
  });
});

describe('Secret', () => {
  it('shows itself only when asked', () => {
    const value = new Secret('canary-value');
    const shown = `${value} ${JSON.stringify({ value })} ${inspect(value)} ${inspect({ value })}`;
    expect(shown).not.toContain('canary');
    expect(value.reveal()).toBe('canary-value');
  });
});
