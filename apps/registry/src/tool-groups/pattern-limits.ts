import { type PatternUse, patternUse } from '@switchyard/access';
import { refuseFields } from '../http/refuse-fields.js';
import type { ToolGroupEntity } from './tool-group.entity.js';

/** Globs with a wildcard, and regular expressions, in all groups of an organization. */
export const maxPatterns = 200;
/** Their regular expressions, counted repetitions written out. */
export const maxRegexSize = 500;

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
    ...(after.regexSize > Math.max(maxRegexSize, before.regexSize)
      ? [
          problem(
            `The regular expressions in an organization’s tool groups have a size of at most ${maxRegexSize} together, counted repetitions written out; these make ${after.regexSize}. Globs do not count.`,
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
  return { patterns: sum(({ patterns }) => patterns), regexSize: sum(({ regexSize }) => regexSize) };
}
