import { setTimeout as delay } from 'node:timers/promises';
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  type CallToolResult,
} from '@modelcontextprotocol/server';
import { audioContent, imageContent } from './conformance-content.js';
import { conformanceSchema } from './conformance-schema.js';
import { elicitingTools } from './eliciting-tools.js';
import { defineTool, textResult, type FixtureTool, type ToolRun } from './fixture-tool.js';
import { inputRequiredTools } from './input-required-tools.js';

const string = { type: 'string' };

/** What the conformance suite calls and looks for, named as it names them less `test_`. */
export function conformanceTools(): FixtureTool[] {
  return [
    ...contentTools(),
    ...notifyingTools(),
    ...elicitingTools(),
    ...inputRequiredTools(),
    ...capabilityTools(),
    ...schemaTools(),
  ];
}

function contentTools(): FixtureTool[] {
  const results: Record<string, object[]> = {
    simple_text: [{ type: 'text', text: 'This is a simple text response for testing.' }],
    image_content: [imageContent],
    audio_content: [audioContent],
    embedded_resource: [
      embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
    ],
    multiple_content_types: [
      { type: 'text', text: 'Multiple content types test:' },
      imageContent,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  };
  const tools = Object.entries(results).map(([name, content]) => defineTool(name, {}, () => ({ content })));
  const failing = defineTool('error_handling', {}, () => ({
    ...textResult('This tool intentionally returns an error for testing'),
    isError: true,
  }));
  return [...tools, failing];
}

function embedded(uri: string, mimeType: string, content: string): object {
  return { type: 'resource', resource: { uri, mimeType, text: content } };
}

function notifyingTools(): FixtureTool[] {
  return [
    defineTool('tool_with_logging', {}, logThreeTimes),
    defineTool('logging_tool', {}, logThreeTimes),
    defineTool('tool_with_progress', {}, async ({ progress }) => {
      for (const step of [0, 50, 100]) {
        await progress(step, 100);
        await delay(50);
      }
      return textResult('Tool with progress executed successfully');
    }),
    triggerToolChange(),
  ];
}

/** Changes its own description, so that there is a change to be told: a gateway that compares tells of no other. */
function triggerToolChange(): FixtureTool {
  let changes = 0;
  const tool = defineTool('trigger_tool_change', {}, async ({ toolsChanged }) => {
    tool.wire.description = `Changed ${++changes} times`;
    await toolsChanged();
    return textResult('The tools changed');
  });
  return tool;
}

async function logThreeTimes({ ctx }: ToolRun): Promise<CallToolResult> {
  for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await ctx.mcpReq.log('info', message);
    await delay(50);
  }
  return textResult('Tool with logging executed successfully');
}

function capabilityTools(): FixtureTool[] {
  return [
    defineTool('streaming_elicitation', {}, async ({ progress }) => {
      await progress(1, 1);
      return textResult('Nothing was asked');
    }),
    defineTool('missing_capability', {}, ({ ctx }) => {
      const declared = (ctx.mcpReq.envelope as Record<string, { sampling?: object }> | undefined)?.[
        CLIENT_CAPABILITIES_META_KEY
      ];
      if (!declared?.sampling)
        throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
      return textResult('The client can sample');
    }),
  ];
}

function schemaTools(): FixtureTool[] {
  const schemaTool = defineTool('json_schema_2020_12_tool', {}, ({ args }) =>
    textResult(JSON.stringify(args)),
  );
  schemaTool.wire.inputSchema = conformanceSchema as never;
  return [
    schemaTool,
    defineTool(
      'custom_header',
      { properties: { region: { ...string, 'x-mcp-header': 'Region' } } },
      ({ args }) => textResult(`Region: ${String(args['region'])}`),
    ),
  ];
}
