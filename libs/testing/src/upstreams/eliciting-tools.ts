import type { ElicitRequestFormParams } from '@modelcontextprotocol/server';
import { defineTool, textResult, type FixtureTool } from './fixture-tool.js';

type RequestedSchema = ElicitRequestFormParams['requestedSchema'];

const string = { type: 'string' as const };

/** The tools of the conformance suite that ask their client in the manner of 2025-11-25, in the middle of a call. */
export function elicitingTools(): FixtureTool[] {
  return [
    defineTool(
      'sampling',
      { properties: { prompt: string }, required: ['prompt'] },
      async ({ args, ctx }) => {
        const message = {
          role: 'user' as const,
          content: { type: 'text' as const, text: String(args['prompt']) },
        };
        const { content } = await ctx.mcpReq.requestSampling({ messages: [message], maxTokens: 100 });
        return textResult(`LLM response: ${'text' in content ? content.text : JSON.stringify(content)}`);
      },
    ),
    defineTool(
      'elicitation',
      { properties: { message: string }, required: ['message'] },
      async ({ args, ctx }) => {
        const properties = { username: string, email: string };
        const requestedSchema = { type: 'object' as const, properties, required: ['username', 'email'] };
        const answer = await ctx.mcpReq.elicitInput({ message: String(args['message']), requestedSchema });
        return textResult(`User response: ${toText(answer)}`);
      },
    ),
    eliciting('elicitation_sep1034_defaults', 'Please review the values', defaults),
    eliciting('elicitation_sep1330_enums', 'Please choose', enums),
  ];
}

function eliciting(name: string, message: string, properties: object): FixtureTool {
  return defineTool(name, {}, async ({ ctx }) => {
    const requestedSchema = { type: 'object', properties } as RequestedSchema;
    const answer = await ctx.mcpReq.elicitInput({ message, requestedSchema });
    return textResult(`Elicitation completed: ${toText(answer)}`);
  });
}

function toText({ action, content = {} }: { action: string; content?: object }): string {
  return `action=${action}, content=${JSON.stringify(content)}`;
}

const defaults = {
  name: { ...string, default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { ...string, enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const plain = ['option1', 'option2', 'option3'];
const titled = ['First', 'Second', 'Third'].map((title, index) => ({ const: `value${index + 1}`, title }));

const enums = {
  untitledSingle: { ...string, enum: plain },
  titledSingle: { ...string, oneOf: titled },
  legacyEnum: {
    ...string,
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { ...string, enum: plain } },
  titledMulti: { type: 'array', items: { anyOf: titled } },
};
