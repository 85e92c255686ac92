import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';

describe('Readiness', () => {
  it('is not ready before the service serves, nor while it drains', async () => {
    const readiness = new Readiness();
    expect((await readiness.report()).ready).toBe(false);
    readiness.serve();
    expect((await readiness.report()).ready).toBe(true);
    readiness.drain();
    expect((await readiness.report()).ready).toBe(false);
  });

  it('names each check with its result: passed, failed, thrown at once, hanging', async () => {
    const readiness = new Readiness();
    readiness.serve();
    readiness.add('good', () => Promise.resolve());
    readiness.add('bad', () => Promise.reject(new Error('down')));
    readiness.add('throws', () => {
      throw new Error('at once');
    });
    readiness.add('hangs', () => new Promise(() => undefined));
    const report = await readiness.report();
    expect(report).toEqual({
      ready: false,
      checks: { serving: true, good: true, bad: false, throws: false, hangs: false },
    });
  });
});

describe('Metrics', () => {
  it('gives the same metric for the same name', async () => {
    const metrics = new Metrics();
    metrics.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['outcome'] }).inc({ outcome: 'ok' });
    metrics.counter({ name: 'calls_total', help: 'Calls.', labelNames: ['outcome'] }).inc({ outcome: 'ok' });
    metrics.gauge({ name: 'depth', help: 'Depth.', collect() { this.set(7); } }); // prettier-ignore
    const text = await metrics.registry.metrics();
    expect(text).toContain('calls_total{outcome="ok"} 2');
    expect(text).toContain('depth 7');
  });
});
