import { askingTools, watchedUri } from './asking-tools.js';
import type { FixtureFeatures } from './fixture-features.js';
import { startFixtureUpstream, type FixtureOptions, type FixtureUpstream } from './start-fixture-upstream.js';

/** An upstream that asks its clients things, with a prompt, resources, a template, and proposals for arguments. */
export async function startAskingUpstream(
  options: Omit<FixtureOptions, 'tools' | 'features'> = {},
): Promise<FixtureUpstream> {
  return startFixtureUpstream({
    name: 'asking-upstream',
    ...options,
    tools: askingTools(),
    features: notes(),
  });
}

function notes(): FixtureFeatures {
  const mimeType = 'text/plain';
  const note = (uri: string) => ({ contents: [{ uri, mimeType, text: `The note ${uri}` }] });
  return {
    prompts: [
      {
        wire: {
          name: 'summarize',
          title: 'Summarize',
          description: 'Summarizes a note.',
          arguments: [
            { name: 'note', description: 'Which note.', required: true },
            { name: 'style', description: 'How.' },
          ],
        },
        get: ({ note: given, style = 'short' }) => ({
          description: 'A summary',
          messages: [{ role: 'user', content: { type: 'text', text: `Summarize ${given}, ${style}.` } }],
        }),
      },
    ],
    resources: [watchedUri, 'note://yesterday'].map((uri) => ({
      wire: { uri, name: uri.slice('note://'.length), mimeType, description: 'A note.' },
      read: note,
    })),
    templates: [
      {
        wire: {
          uriTemplate: 'note://by-day/{day}',
          name: 'by-day',
          mimeType,
          description: 'A note by its day.',
        },
        read: (uri) => (uri.startsWith('note://by-day/') ? note(uri) : undefined),
      },
    ],
    complete: ({ argument: { name, value } }) =>
      (name === 'style' ? ['long', 'short', 'shortest'] : ['monday', 'tuesday']).filter((word) =>
        word.startsWith(value),
      ),
  };
}
