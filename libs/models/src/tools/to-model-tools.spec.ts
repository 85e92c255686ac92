import { describe, expect, it } from '@jest/globals';
import type { WireTool } from '@switchyard/contracts';
import { asSchema } from 'ai';
import { modelSchema } from './model-schema.js';
import { modelToolNames } from './model-tool-name.js';
import { toModelTools } from './to-model-tools.js';

const wire = (more: Partial<WireTool> = {}): WireTool => ({
  name: 'add',
  inputSchema: { type: 'object' },
  ...more,
});

describe('names of tools for a model', () => {
  it('are the outward names where every provider takes them', () => {
    expect(modelToolNames(['notes_add', 'a-b_C9'])).toEqual(['notes_add', 'a-b_C9']);
  });

  it('are made fit, unique and stable otherwise', () => {
    const odd = ['files.read', 'files/read', 'x'.repeat(80), '', 'größe', 'notes_add', 'notes_add'];
    const names = modelToolNames(odd);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(new Set(names).size).toBe(odd.length);
    expect(modelToolNames(['files/read'])[0]).toBe(names[1]);
  });

  it('never take the name that another tool has by right', () => {
    const [made] = modelToolNames(['a.b']);
    const names = modelToolNames(['a.b', made!]);
    expect(names[1]).toBe(made);
    expect(names[0]).not.toBe(made);
  });
});

describe('schemas for a model', () => {
  it('are objects without what providers refuse at the top', () => {
    expect(
      modelSchema({
        $schema: 'x',
        oneOf: [{ properties: { a: { type: 'string' } }, required: ['a'] }, { properties: { b: {} } }, true],
        properties: { b: { type: 'number' } },
        required: ['b'],
        additionalProperties: false,
      }),
    ).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'number' } },
      required: ['b'],
      additionalProperties: false,
    });
    expect(modelSchema({})).toEqual({ type: 'object', properties: {} });
  });
});

describe('tools for a model', () => {
  it('are offered and cannot be run', async () => {
    const { toolSet, outwardNameOf } = toModelTools([{ outwardName: 'files.read', wire: wire() }]);
    const [[name, tool]] = Object.entries(toolSet) as [[string, (typeof toolSet)[string]]];
    expect(tool.execute).toBeUndefined();
    expect(await asSchema(tool.inputSchema).jsonSchema).toEqual({ type: 'object', properties: {} });
    expect(outwardNameOf(name)).toBe('files.read');
    expect(outwardNameOf('files.read')).toBeUndefined();
  });

  it('are described as a reviewer sees them, with what the server says of side effects', () => {
    const described = wire({
      title: 'Add a note',
      description: 'Keeps\u200B it.',
      annotations: { destructiveHint: true },
    });
    const { toolSet } = toModelTools([{ outwardName: 'notes_add', wire: described }]);
    expect(toolSet.notes_add?.description).toBe(
      'Add a note\n\nKeeps it.\n\n(Its server says: may destroy data.)',
    );
  });
});
