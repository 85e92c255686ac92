import type { ClientSide } from '@switchyard/contracts';
import type { CallRequest } from '../tool-calls/prepared-call.js';

export type LogLevel = NonNullable<ClientSide['logLevel']>;

const askable = ['elicitation', 'sampling', 'roots'] as const;
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** What an upstream may ask of the client that waits, and what it hears of; undefined where that is nothing. */
export function clientSideOf(
  declared: unknown,
  logLevel: LogLevel | undefined,
): CallRequest['client'] | undefined {
  const known = isObject(declared) ? askable.filter((name) => isObject(declared[name])) : [];
  if (known.length === 0 && logLevel === undefined) return undefined;
  const capabilities = Object.fromEntries(known.map((name) => [name, (declared as Named)[name] as Named]));
  return {
    ...(known.length > 0 && { capabilities }),
    ...(logLevel !== undefined && { logLevel }),
  };
}

/**
 * The capability that a client needs to be asked this, in the form in which it would declare it; undefined where it has
 * declared it, or where no client can be asked this (`null`).
 */
export function missingCapability(request: unknown, declared: unknown): Named | undefined | null {
  const needed = neededFor(request);
  if (needed === null) return null;
  const given = isObject(declared) ? declared[needed.name] : undefined;
  const isGiven =
    isObject(given) && (needed.mode === undefined || offers(needed.mode, given as Record<string, unknown>));
  if (isGiven) return undefined;
  return { [needed.name]: needed.mode === undefined ? {} : { [needed.mode]: {} } };
}

/** Whether a message of this level is one that the client wants. An unknown level is not held back. */
export function isWanted(level: string, lowest: LogLevel | undefined): boolean {
  if (lowest === undefined) return false;
  const at = levels.indexOf(level);
  return at < 0 || at >= levels.indexOf(lowest);
}

/** A level of the protocol, or undefined. */
export function logLevelOf(value: unknown): LogLevel | undefined {
  return levels.includes(value as string) ? (value as LogLevel) : undefined;
}

type Named = Record<string, unknown>;
type Needed = { readonly name: (typeof askable)[number]; readonly mode?: string };

function neededFor(request: unknown): Needed | null {
  if (!isObject(request)) return null;
  const params = isObject(request['params']) ? request['params'] : {};
  switch (request['method']) {
    case 'elicitation/create':
      return { name: 'elicitation', mode: params['mode'] === 'url' ? 'url' : 'form' };
    case 'sampling/createMessage':
      return params['tools'] === undefined ? { name: 'sampling' } : { name: 'sampling', mode: 'tools' };
    case 'roots/list':
      return { name: 'roots' };
    default:
      return null;
  }
}

/** An empty `elicitation: {}` means forms alone. */
function offers(mode: string, capability: Named): boolean {
  if (isObject(capability[mode])) return true;
  return mode === 'form' && capability['url'] === undefined;
}

function isObject(value: unknown): value is Named {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
