import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { workspaceRoot } from '@switchyard/testing';

const root = workspaceRoot();
const page = readFileSync(join(root, 'docs/features.md'), 'utf8');

const numbered = (letter: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${letter}${at + 1}`);
const expected = [...numbered('A', 26), ...numbered('B', 54)];

type Feature = { id: string; behaviour: string; proof: string };
const features: Feature[] = [...page.matchAll(/^\| ([AB]\d+) \| (.+?) \| (.+) \|$/gm)].map(
  ([, id = '', behaviour = '', proof = '']) => ({ id, behaviour, proof }),
);

const testsOf = ({ proof }: Feature) =>
  [...proof.matchAll(/`([\w./-]+\.ts)` "([^"]+)"/g)].map(([, path = '', name = '']) => ({ path, name }));
const decisionsOf = ({ proof }: Feature) =>
  proof.startsWith('decided: ') ? [...proof.matchAll(/\[ADR (\d+)\]\((adr\/[^)]+)\)/g)] : [];
const isNoBehaviour = ({ proof }: Feature) => /^not a behaviour: \w+( \w+){0,2}$/.test(proof);

/** Whether a test, or a row of a table of tests, is named so: the name is a whole literal of the file. */
function isNamedIn(path: string, name: string): boolean {
  const file = join(root, path);
  return (
    existsSync(file) &&
    ["'", '"', '`'].some((quote) => readFileSync(file, 'utf8').includes(quote + name + quote))
  );
}

it('every feature has one row, in order', () => {
  expect(features.map(({ id }) => id)).toEqual(expected);
});

describe.each(features)('$id', (feature) => {
  it('names a test, a decision, or why it is no behaviour', () => {
    const isProven = testsOf(feature).length > 0 || decisionsOf(feature).length > 0;
    expect(isProven).not.toBe(isNoBehaviour(feature));
  });

  it('names only tests that there are, each as it is named there', () => {
    const tests = testsOf(feature);
    // What looks like a test and is written otherwise would be passed over.
    expect(tests).toHaveLength(feature.proof.match(/`[^`]+`/g)?.length ?? 0);
    expect(tests.filter(({ path, name }) => !isNamedIn(path, name))).toEqual([]);
  });

  it('names only decisions that there are', () => {
    const missing = decisionsOf(feature).filter(
      ([, number = '', path = '']) =>
        !path.startsWith(`adr/${number.padStart(4, '0')}-`) || !existsSync(join(root, 'docs', path)),
    );
    expect(missing).toEqual([]);
  });
});
