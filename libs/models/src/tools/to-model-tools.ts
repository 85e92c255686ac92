import type { WireTool } from '@switchyard/contracts';
import { jsonSchema, tool, type JSONSchema7, type ToolSet } from 'ai';
import { visibleText } from '../untrusted/visible-text.js';
import { modelSchema } from './model-schema.js';
import { modelToolNames } from './model-tool-name.js';

/** A tool of the caller: its outward name and what its server says of it. */
export type OfferedTool = { readonly outwardName: string; readonly wire: WireTool };

/** Tools as a model is offered them. */
export type ModelTools = {
  /** For `askModel`. None has an `execute`: who runs the agent makes the calls. */
  readonly toolSet: ToolSet;
  /** The outward name behind the name that the model uses; undefined for one that it was not offered. */
  readonly outwardNameOf: (modelName: string) => string | undefined;
};

const longestDescription = 4_000;

/** The tools of a run, in their order, under names that every provider takes. */
export function toModelTools(offered: readonly OfferedTool[]): ModelTools {
  const names = modelToolNames(offered.map(({ outwardName }) => outwardName));
  const outward = new Map(names.map((name, index) => [name, offered[index]?.outwardName]));
  const toolSet = Object.fromEntries(
    offered.map(({ wire }, index) => [
      names[index] ?? '',
      tool({
        description: describe(wire),
        inputSchema: jsonSchema<Record<string, unknown>>(modelSchema(wire.inputSchema) as JSONSchema7),
      }),
    ]),
  );
  return { toolSet, outwardNameOf: (name) => outward.get(name) };
}

/** Title, description and what the server says of side effects; without characters that a reviewer cannot see. */
function describe({ title, description = '', annotations }: WireTool): string {
  const said = visibleText(description).slice(0, longestDescription);
  const heading = title && title !== description ? `${visibleText(title)}\n\n` : '';
  return `${heading}${said}${sideEffects(annotations)}`.trim();
}

function sideEffects(annotations: WireTool['annotations']): string {
  if (annotations?.readOnlyHint) return '\n\n(Its server says: read-only.)';
  return annotations?.destructiveHint ? '\n\n(Its server says: may destroy data.)' : '';
}
