/** A service as small as one can be, run by the tests as a process of its own. Plain JavaScript, for Node runs it as it is. */
import { Controller, Get, Module } from '@nestjs/common';
import { loadConfig, runService, serviceConfig, serviceEnv, portNumber, Shutdown } from '@switchyard/service-kit';
import { z } from 'zod';

class HelloController {
  hello() {
    return { hello: 'world' };
  }

  async slow() {
    process.stdout.write('slow request begun\n');
    await new Promise((resolve) => setTimeout(resolve, 400));
    return { slow: 'done' };
  }
}
const decorate = (name, decorator) =>
  decorator(HelloController.prototype, name, Object.getOwnPropertyDescriptor(HelloController.prototype, name));
decorate('hello', Get('hello'));
decorate('slow', Get('slow'));
Controller()(HelloController);

class TrivialModule {
  constructor(shutdown) {
    shutdown.onStopTaking(() => void process.stdout.write('step: stop taking\n'));
    shutdown.onClose(() => void process.stdout.write('step: close first registered\n'));
    shutdown.onClose(() => void process.stdout.write('step: close last registered\n'));
    if (process.env.TRIVIAL_HANGS) shutdown.onStopTaking(() => new Promise(() => setInterval(() => undefined, 1000)));
  }
}
Reflect.defineMetadata('design:paramtypes', [Shutdown], TrivialModule);
Module({ controllers: [HelloController] })(TrivialModule);

const env = loadConfig('trivial', z.object({ ...serviceEnv, TRIVIAL_PORT: portNumber(), TRIVIAL_OPS_PORT: portNumber() }));
const ports = { opsPort: env.TRIVIAL_OPS_PORT, httpPort: env.TRIVIAL_PORT };
await runService({ config: serviceConfig('trivial', env, ports), module: TrivialModule });
