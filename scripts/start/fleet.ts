/** All processes of all services. */
import { join } from 'node:path';
import { type EnvironmentInput, serviceEnvironment } from './environments.ts';
import { type ServiceName, services, type StartOptions } from './options.ts';
import { whyTaken } from './ports.ts';
import { ServiceLog } from './service-log.ts';
import { SupervisedService } from './supervised-service.ts';

type Member = { service: ServiceName; process: SupervisedService; log: ServiceLog };

export class Fleet {
  readonly #members: Member[] = [];
  readonly #onChange: () => void;

  /** `onChange` is called whenever a process is up, for the first time or again, and when one has ended. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Starts all and waits until each was up once. */
  async start(root: string, options: StartOptions, input: EnvironmentInput): Promise<void> {
    for (const name of services) {
      for (let index = 0; index < options.scale[name]; index++)
        this.#add(name, index, { root, options, input });
    }
    await Promise.all(this.#members.map(({ process }) => process.firstReady));
  }

  /** The processes of each service that are up, as `dev.json` shows them. */
  pids(): Record<string, number[]> {
    const pidOf = ({ process }: Member): number[] =>
      process.isUp && process.pid !== undefined ? [process.pid] : [];
    return Object.fromEntries(services.map((name) => [name, this.#of(name).flatMap(pidOf)]));
  }

  /** The HTTP ports of a service's processes. */
  httpPorts(name: ServiceName): number[] {
    return this.#of(name).flatMap(({ process }) => process.address?.httpPort ?? []);
  }

  /** Where each process that is up answers /healthz, /readyz and /metrics. */
  opsUrls(): Record<string, string[]> {
    const urlOf = ({ process }: Member): string[] =>
      process.isUp && process.address ? [`http://127.0.0.1:${process.address.opsPort}`] : [];
    return Object.fromEntries(services.map((name) => [name, this.#of(name).flatMap(urlOf)]));
  }

  async stop(): Promise<void> {
    for (const { log } of this.#members) log.quiet();
    await Promise.all(this.#members.map(({ process }) => process.stop()));
  }

  kill(): void {
    for (const { process } of this.#members) process.kill();
  }

  #of(name: ServiceName): Member[] {
    return this.#members.filter(({ service }) => service === name);
  }

  #add(
    service: ServiceName,
    index: number,
    { root, options, input }: { root: string; options: StartOptions; input: EnvironmentInput },
  ): void {
    const name = options.scale[service] > 1 ? `${service} ${index + 1}` : service;
    const log = new ServiceLog(name, join(options.dataFolder, 'logs', `${service}-${index + 1}.log`));
    const supervised = new SupervisedService({
      name,
      main: join(root, 'apps', service, 'dist/src/main.js'),
      env: serviceEnvironment(service, index, input),
      log,
      onReady: this.#onChange,
      onRestart: (why, pauseMs) => {
        process.stderr.write(`[${name}] ended (${why}), starts again in ${pauseMs / 1000} s\n`);
        this.#onChange();
      },
      // It was free before all was built; another process, such as a second start, may have taken it since.
      ...(service === 'gateway' && index === 0 && { whyHopeless: () => whyTaken(input.ports.gateway) }),
    });
    this.#members.push({ service, process: supervised, log });
  }
}
