export { askModel } from './calls/ask-model.js';
export type { AnswerPart, ModelRequest } from './calls/ask-model.js';
export { addUsage } from './calls/model-answer.js';
export type { AskedToolCall, ModelAnswer, ModelUsage } from './calls/model-answer.js';
export { failureOutput, problemOutput, resultOutput, toolResultsMessage } from './results/tool-output.js';
export type { ToolOutput } from './results/tool-output.js';
export { createModel } from './settings/create-model.js';
export type { ConfiguredModel, ModelEgress, ModelFetchLimits } from './settings/create-model.js';
export { ModelSettings } from './settings/model-settings.js';
export type { ModelSettingsInput } from './settings/model-settings.js';
export { toModelTools } from './tools/to-model-tools.js';
export type { ModelTools, OfferedTool } from './tools/to-model-tools.js';
export type {
  ApprovalPart,
  ChatChunk,
  ChatData,
  ChatMessage,
  ChatMetadata,
  DecisionRefusedPart,
  ReauthPart,
} from './ui/chat-message.js';
export { chatStream } from './ui/chat-stream.js';
export type { ChatStream } from './ui/chat-stream.js';
export { toChatMessage } from './ui/to-chat-message.js';
export { frameUntrusted, untrustedDataRule } from './untrusted/frame-untrusted.js';
export type { FrameOptions } from './untrusted/frame-untrusted.js';
export { visibleText } from './untrusted/visible-text.js';
export type { ModelMessage } from 'ai';
