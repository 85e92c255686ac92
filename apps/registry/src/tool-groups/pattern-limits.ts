import { type PatternUse, patternUse } from '@switchyard/access';
import { refuseFields } from '../http/refuse-fields.js';
import type { ToolGroupEntity } from './tool-group.entity.js';

/** Globs with a wildcard, and regular expressions, in all groups of an organization. */
export const maxPatterns = 200;
/** Characters of those that take long: regular expressions, counted repetitions written out, and globs of `*` and `?`. */
export const maxPatternSize = 300;

type Selecting = Pick<ToolGroupEntity, 'id' | 'selectors'>;

/**
 * Every pattern is matched against every tool, in processes that all organizations share. Throws `invalid_request` if
 * with the changed group the organization has too many; less than before is never refused.
 */
export function requireRoom(groups: readonly Selecting[], changed: Selecting): void {
  const before = useOf(groups);
  const after = useOf([...groups.filter(({ id }) => id !== changed.id), changed]);
  refuseFields([
    ...(after.patterns > Math.max(maxPatterns, before.patterns)
      ? [
          problem(
            `The tool groups of an organization hold at most ${maxPatterns} patterns; these make ${after.patterns}. A name without wildcards is none: list such names in \`include\`.`,
          ),
        ]
      : []),
    ...(after.size > Math.max(maxPatternSize, before.size)
      ? [
          problem(
            `The regular expressions, and globs with both * and ?, in an organization’s tool groups have a size of at most ${maxPatternSize} together, counted repetitions written out; these make ${after.size}. Other globs do not count.`,
          ),
        ]
      : []),
  ]);
}

function problem(message: string) {
  return { path: 'selectors', message };
}

function useOf(groups: readonly Selecting[]): PatternUse {
  const uses = groups.map(({ selectors }) => patternUse(selectors));
  const sum = (of: (use: PatternUse) => number) => uses.reduce((total, use) => total + of(use), 0);
  return { patterns: sum(({ patterns }) => patterns), size: sum(({ size }) => size) };
}
