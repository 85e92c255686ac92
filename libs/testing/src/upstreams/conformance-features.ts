import type { ServerContext } from '@modelcontextprotocol/server';
import { audioContent, imageContent } from './conformance-content.js';
import type { FixtureFeatures, FixturePrompt, FixtureResource } from './fixture-features.js';
import { askFirst, form } from './input-required.js';

/** The prompts, resources and completions that the conformance suite asks for, prompts named less `test_`. */
export function conformanceFeatures(prefix: string): FixtureFeatures {
  return {
    prompts: prompts().map((prompt) => ({
      ...prompt,
      wire: { ...prompt.wire, name: `${prefix}${prompt.wire.name}` },
    })),
    resources: resources(),
    templates: [template()],
    complete: ({ argument: { value } }) =>
      ['paris', 'park', 'party'].filter((word) => word.startsWith(value)),
  };
}

function prompts(): FixturePrompt[] {
  const text = (value: string) => message({ type: 'text', text: value });
  return [
    prompt('simple_prompt', [], () => [text('This is a simple prompt for testing.')]),
    prompt('prompt_with_arguments', ['arg1', 'arg2'], ({ arg1, arg2 }) => [
      text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
    ]),
    prompt('prompt_with_embedded_resource', ['resourceUri'], ({ resourceUri: uri }) => [
      message({
        type: 'resource',
        resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
      }),
      text('Please process the embedded resource above.'),
    ]),
    prompt('prompt_with_image', [], () => [message(imageContent), text('Please analyze the image above.')]),
    {
      wire: { name: 'input_required_result_prompt', description: 'Asks for a context first.' },
      get: (_, ctx) => askForContext(ctx),
    },
  ];
}

function prompt(
  name: string,
  args: string[],
  messages: (given: Record<string, string>) => object[],
): FixturePrompt {
  const listed = args.map((arg) => ({ name: arg, description: `The argument ${arg}.`, required: true }));
  return {
    wire: {
      name,
      description: `The fixture’s prompt ${name}.`,
      ...(args.length > 0 && { arguments: listed }),
    },
    get: (given) => ({ messages: messages(given) }),
  };
}

function message(content: object): object {
  return { role: 'user', content };
}

function askForContext(ctx: ServerContext): Promise<unknown> {
  const question = { user_context: form('What context should the prompt use?', 'context') };
  return askFirst(ctx, question, ({ user_context: answer }) => ({
    messages: [message({ type: 'text', text: `Use this context: ${JSON.stringify(answer)}` })],
  }));
}

function resources(): FixtureResource[] {
  const text = 'This is the content of the static text resource.';
  const { data: blob, mimeType } = imageContent;
  const watched = 'Watched resource content';
  return [
    resource('test://static-text', 'text/plain', { text }),
    resource('test://static-binary', mimeType, { blob }),
    resource('test://static-audio', audioContent.mimeType, { blob: audioContent.data }),
    resource('test://watched-resource', 'text/plain', { text: watched }),
    resource('test://example-resource', 'text/plain', { text }),
  ];
}

function resource(uri: string, mimeType: string, content: object): FixtureResource {
  const name = uri.slice('test://'.length);
  return {
    wire: { uri, name, description: `The fixture’s resource ${name}.`, mimeType },
    read: () => ({ contents: [{ uri, mimeType, ...content }] }),
  };
}

function template(): FixtureResource {
  const mimeType = 'application/json';
  return {
    wire: { uriTemplate: 'test://template/{id}/data', name: 'template', description: 'By id.', mimeType },
    read: (uri) => {
      const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
      if (id === undefined) return undefined;
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
      return { contents: [{ uri, mimeType, text }] };
    },
  };
}
