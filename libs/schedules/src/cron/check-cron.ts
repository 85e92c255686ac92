import { CronCalendar } from './calendar.js';
import { cronCalendar } from './cron-times.js';

const fields = ['minute', 'hour', 'day of the month', 'month', 'day of the week'] as const;
const mostCharacters = 200;
const neverComes = 'names a day that never comes';
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
    const problem = wrongSigns(field);
    if (problem !== undefined) return wrongField(field, index, problem);
  }
  return problemOf(given);
}

/** Read as a whole first: of what is stored already nearly all is good, and was read before. */
function problemOf(given: readonly string[]): string | undefined {
  try {
    return cronCalendar(given.join(' ')).everComes ? undefined : neverComes;
  } catch {
    const problems = given.map((field, index) => unreadable(field, index));
    return problems.find((problem) => problem !== undefined) ?? neverComes;
  }
}

function wrongSigns(field: string): string | undefined {
  if (!allowed.test(field)) return 'only digits, names, * , - / ? L and # may stand there';
  return /h(?!u)/i.test(field.replaceAll(/mar|thu/gi, '')) ? 'H is not known here' : undefined;
}

/** The package does not say which field it could not read. */
function unreadable(field: string, index: number): string | undefined {
  try {
    new CronCalendar(fields.map((_name, place) => (place === index ? field : '*')).join(' '));
    return undefined;
  } catch (error) {
    return wrongField(field, index, wordsOf(error));
  }
}

function wrongField(field: string, index: number, problem: string): string {
  return `has a wrong ${fields[index]}, ${JSON.stringify(field)}: ${problem}`;
}

/** The package says `Constraint error, got value 61 expected range 0-59`, `Invalid range: 5-1, min(5) > max(1)`, … */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const range = /got value (\S+) expected range (\S+)/.exec(message);
  if (range) return `${range[1]} is not within ${range[2]}`;
  return message.replace(/^(?:Constraint error|Invalid characters), /, '') || 'not readable';
}
