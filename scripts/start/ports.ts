/** The ports of one installation. The gateway's is the only one that is not simply chosen free. */
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, isFree } from '../stores/free-port.ts';
import type { Ports } from './environments.ts';
import { type StartOptions, UsageError } from './options.ts';

/** The wanted port. Processes of a start that was killed may hold it for `patienceMs`; then it is an error that says what to do. */
export async function gatewayPort(options: StartOptions, patienceMs: number): Promise<number> {
  if (options.port === 0) return freePort();
  for (const giveUpAt = Date.now() + patienceMs; ; await delay(200)) {
    const why = await whyTaken(options.port);
    if (why === undefined) return options.port;
    if (Date.now() >= giveUpAt) throw new UsageError(why);
  }
}

/** For the person at the console, where another process listens on the gateway's port; undefined where none does. */
export async function whyTaken(port: number): Promise<string | undefined> {
  return (await isFree(port)) ? undefined : `Port ${port} is in use: set PORT to another one.`;
}

/** Free ports, none of them twice, for all that the gateway at `gateway` reaches. */
export async function choosePorts(gateway: number, scale: StartOptions['scale']): Promise<Ports> {
  const chosen = new Set([gateway]);
  const choose = async (): Promise<number> => {
    const port = await freePort();
    if (chosen.has(port)) return choose();
    chosen.add(port);
    return port;
  };
  const chooseMany = async (count: number): Promise<number[]> => {
    const ports: number[] = [];
    while (ports.length < count) ports.push(await choose());
    return ports;
  };
  return {
    gateway,
    registry: await choose(),
    tokenBroker: await choose(),
    dispatch: await chooseMany(scale.dispatch),
    agentRunner: await chooseMany(scale['agent-runner']),
  };
}
