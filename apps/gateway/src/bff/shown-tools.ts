import type { ResolvedTool } from '@switchyard/access';
import { openAiTool } from '../chat-format/openai-tool.js';
import { toolManifest } from './tool-manifest.js';

/** A list of tools as the API and its stream show it: manifests, or what a model provider takes as `tools`. */
export function shownTools(tools: readonly ResolvedTool[], format: 'bff' | 'openai') {
  return {
    tools: tools.map((tool) => (format === 'openai' ? openAiTool(tool.wire, 'chat') : toolManifest(tool))),
    count: tools.length,
  };
}
