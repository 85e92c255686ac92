export { demoModelWords } from './rules/decide-answer.js';
export { ModelScript } from './script/script.js';
export type { ModelScriptInput, TurnAnswer, TurnMatcher } from './script/script.js';
export { startDemoModel, startScriptedModel } from './server/start-model.js';
export type { RunningModel, ScriptedModel, StartOptions } from './server/start-model.js';
export type { SeenRequest } from './server/request-log.js';
