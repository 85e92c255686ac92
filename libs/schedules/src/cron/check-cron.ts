import { CronExpressionParser } from 'cron-parser';

const fields = ['minute', 'hour', 'day of the month', 'month', 'day of the week'] as const;
const mostCharacters = 200;
const allowed = /^[0-9A-Za-z*,/?#-]+$/;

/**
 * What is wrong with a cron expression, in words for whoever wrote it; undefined for a good one. Five fields; `L` and
 * `#` are taken, random `H` and names such as `@daily` are not.
 */
export function cronProblem(expression: string): string | undefined {
  if (expression.length > mostCharacters) return `is longer than ${mostCharacters} characters`;
  const given = expression.trim().split(/\s+/);
  if (given.length !== fields.length || given[0] === '')
    return `must have five fields (minute, hour, day of the month, month, day of the week), not ${given[0] === '' ? 0 : given.length}`;
  for (const [index, field] of given.entries()) {
    const problem = fieldProblem(field, index);
    if (problem !== undefined) return `has a wrong ${fields[index]}, ${JSON.stringify(field)}: ${problem}`;
  }
  return everComes(given.join(' ')) ? undefined : 'names a day that never comes';
}

function fieldProblem(field: string, index: number): string | undefined {
  if (!allowed.test(field)) return 'only digits, names, * , - / ? L and # may stand there';
  if (/h(?!u)/i.test(field.replaceAll(/mar|thu/gi, ''))) return 'H is not known here';
  try {
    parse(fields.map((_name, place) => (place === index ? field : '*')).join(' '));
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

/** The package says `Constraint error, got value 61 expected range 0-59`, `Invalid range: 5-1, min(5) > max(1)`, … */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const range = /got value (\S+) expected range (\S+)/.exec(message);
  if (range) return `${range[1]} is not within ${range[2]}`;
  return message.replace(/^(?:Constraint error|Invalid characters), /, '') || 'not readable';
}

function everComes(expression: string): boolean {
  try {
    parse(expression).next();
    return true;
  } catch {
    return false;
  }
}

function parse(expression: string) {
  return CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: new Date(0) });
}
