export { ArgumentValidator } from './argument-validator.js';
export type { ArgumentError, CheckedTool } from './argument-validator.js';
