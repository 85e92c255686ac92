import { parseArgs } from 'node:util';

/** What `--only` can pick. */
export const benches = ['redis', 'postgres', 'lists', 'backlog-redis', 'backlog-postgres'] as const;
export type BenchName = (typeof benches)[number];

export type BenchOptions = {
  only: readonly BenchName[];
  pairs: number;
  isQuick: boolean;
  profile: boolean;
  /** Where the raw profiles are kept. */
  keepIn: string | undefined;
  json: string | undefined;
  /** How long one load loop lasts at most. */
  phaseMs: number;
  /** How many background jobs wait. */
  backlog: number;
};

export const help = `npm run bench -- [options]

Measures tool calls made directly against the same calls made through Switchyard, in interleaved pairs.
Starts all it needs on free ports of the loopback interface, in a temporary folder, and removes it again.

  --only <name>   one of ${benches.join(', ')}; may be given several times
  --pairs <n>     interleaved pairs, of which the medians count (5)
  --quick         two pairs, short phases, 2,000 waiting jobs: to see that it works, not to quote
  --profile       instead of measuring, profiles gateway and dispatch with 32 calls in flight
  --keep <folder> with --profile: keeps the profiles there, for DevTools
  --json <file>   writes the results there too
  --help          this text
`;

/** Reads the command line; undefined asks for the help text. Throws with a sentence for what it does not know. */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      pairs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      keep: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const isQuick = values.quick;
  return {
    only: values.only ? values.only.map(knownBench) : benches,
    pairs: pairsOf(values.pairs ?? (isQuick ? '2' : '5')),
    isQuick,
    profile: values.profile,
    keepIn: values.keep,
    json: values.json,
    phaseMs: isQuick ? 1_000 : 3_000,
    backlog: isQuick ? 2_000 : 50_000,
  };
}

function knownBench(name: string): BenchName {
  const known = benches.find((bench) => bench === name);
  if (!known) throw new Error(`--only ${name}: there is no such measurement, only ${benches.join(', ')}.`);
  return known;
}

function pairsOf(text: string): number {
  const pairs = Number(text);
  if (!Number.isInteger(pairs) || pairs < 1 || pairs > 50)
    throw new Error('--pairs must be a number from 1 to 50.');
  return pairs;
}
