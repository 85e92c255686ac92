import { describe, expect, it } from '@jest/globals';
import { parseOptions } from './options.ts';
import { choosePorts } from './ports.ts';

describe('the ports of an installation', () => {
  it('are there for every process of dispatch and of the agent runner, none of them twice', async () => {
    const args = ['--scale', 'agent-runner=3', '--scale', 'dispatch=2'];
    const ports = await choosePorts(8080, parseOptions(args, {}, '/clone')!.scale);
    expect(ports).toMatchObject({ gateway: 8080, registry: expect.any(Number) });
    expect([ports.dispatch.length, ports.agentRunner.length]).toEqual([2, 3]);
    const all = Object.values(ports).flat();
    expect(new Set(all).size).toBe(all.length);
  });

  it('are none that the system gives to a process that asks for any, before its own listens', async () => {
    const ports = await choosePorts(8080, parseOptions(['--scale', 'dispatch=20'], {}, '/clone')!.scale);
    for (const port of Object.values(ports).flat()) expect(port).toBeLessThan(32_768);
  });
});
