import { startDemoModel, startScriptedModel } from '@switchyard/demo-model';
import { createLogger, loadConfig, type ReadyMessage } from '@switchyard/service-kit';
import { demoModelEnv, toDemoModelConfig } from './config.js';

const name = 'demo-model';
const config = toDemoModelConfig(loadConfig(name, demoModelEnv), process.argv);
const log = createLogger(name, { level: 'info' });

const options = { host: config.host, port: config.port, apiKey: config.apiKey.reveal() };
const model = config.isScripted
  ? await startScriptedModel({ turns: [] }, options)
  : await startDemoModel(options);
log.info({ baseUrl: model.baseUrl, model: model.model }, 'ready: a demonstration, not a language model');

// A forked process tells its supervisor, and does not outlive it.
const ready: ReadyMessage = { ready: true, name, httpPort: model.port, opsPort: model.port };
process.send?.(ready);
// The supervisor's channel would keep it alive. A close that fails ends it too, unhandled and with a code of its own.
const end = (): void => void model.close().then(() => process.exit(0));
process.on('SIGTERM', end);
process.on('disconnect', end);
if (!process.send) process.on('SIGINT', end);
