import type { z } from 'zod';

/** The settings of a process are wrong. The message names every wrong setting, and no value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    app: string,
    readonly problems: readonly string[],
  ) {
    super(
      `${app} cannot start, ${problems.length} setting(s) are missing or wrong:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    // The stack of a configuration error tells an operator nothing.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/**
 * Reads the settings of `app` from the environment, as a frozen object. An empty variable counts as missing.
 * Throws a `ConfigError` with all problems at once; left uncaught at the top of `main.ts`, it ends the process with 1.
 */
export function loadConfig<S extends z.ZodType>(
  app: string,
  schema: S,
  env: NodeJS.ProcessEnv = process.env,
): z.output<S> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(
      app,
      parsed.error.issues.map((issue) => describeIssue(issue, given)),
    );
  }
  return deepFreeze(parsed.data);
}

function describeIssue(issue: z.core.$ZodIssue, given: Record<string, string | undefined>): string {
  const name = String(issue.path[0] ?? 'settings');
  const value = given[name];
  if (value === undefined)
    return issue.path.length > 0 && issue.code === 'invalid_type'
      ? `${name} is required`
      : `${name}: ${issue.message}`;
  return `${name}: ${issue.message.replaceAll(value, '[redacted]')}`;
}

function deepFreeze<T>(value: T): T {
  if (!isPlain(value) || Object.isFrozen(value)) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
