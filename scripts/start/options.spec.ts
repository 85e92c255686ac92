import { describe, expect, it } from '@jest/globals';
import { parseOptions, UsageError } from './options.ts';

describe('options of npm start', () => {
  it('have a default for everything', () => {
    expect(parseOptions([], {}, '/clone')).toEqual({
      isClean: false,
      hasSamples: true,
      scale: {
        registry: 1,
        'catalog-sync': 1,
        'token-broker': 1,
        dispatch: 1,
        'agent-runner': 1,
        gateway: 1,
      },
      port: 8080,
      isPortGiven: false,
      dataFolder: '/clone/.switchyard',
    });
  });

  it('come from arguments and environment', () => {
    const env = {
      PORT: '0',
      SWITCHYARD_DATA_DIR: '/data',
      DATABASE_URL: 'postgres://d',
      QUEUE_URL: 'redis://q',
    };
    const options = parseOptions(
      ['--clean', '--no-samples', '--scale', 'dispatch=2', '--scale', 'gateway=3'],
      env,
      '/clone',
    );
    expect(options).toMatchObject({
      isClean: true,
      hasSamples: false,
      port: 0,
      dataFolder: '/data',
      databaseUrl: 'postgres://d',
      queueUrl: 'redis://q',
    });
    expect(options?.scale).toMatchObject({ dispatch: 2, gateway: 3, registry: 1 });
  });

  it.each([
    [['--scale', 'dispatch']],
    [['--scale', 'nobody=2']],
    [['--scale', 'dispatch=0']],
    [['--bogus']],
    [['stray']],
  ])('refuse %j', (args) => {
    expect(() => parseOptions(args, {}, '/')).toThrow(UsageError);
  });

  it.each(['x', '-1', '70000', '80.5'])('refuse PORT=%s', (PORT) => {
    expect(() => parseOptions([], { PORT }, '/')).toThrow(UsageError);
  });

  it('give nothing when help is asked for', () => {
    expect(parseOptions(['--help'], {}, '/')).toBeUndefined();
  });
});
