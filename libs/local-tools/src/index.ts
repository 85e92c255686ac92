export { defineTool } from './define-tool.js';
export type {
  LocalTool,
  LocalToolAnnotations,
  LocalToolContext,
  LocalToolOptions,
  LocalToolResult,
  LocalToolReturn,
  LocalToolValue,
} from './define-tool.js';
export { localToolsHost, whyNotStarted } from './local-tools-host.js';
