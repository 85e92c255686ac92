import { type Measured, runLoad } from './load.ts';
import { checkCount, type Endpoint, type Era, eras, McpSession } from './mcp-session.ts';
import type { BenchOptions } from './options.ts';
import { register } from './registration.ts';
import { mediansOf } from './statistics.ts';
import type { Switchyard } from './switchyard.ts';

const sizes = [10, 5_000];
const mostListings = 2_000;

export type ListFigures = {
  direct_p50_ms: number;
  direct_p99_ms: number;
  through_p50_ms: number;
  through_p99_ms: number;
  errors: number;
};
export type ListResult = { tools: number; era: Era; medians: ListFigures; pairs: ListFigures[] };

/** How long `tools/list` takes, from request to last byte, directly and through Switchyard in turn. */
export async function benchToolLists(switchyard: Switchyard, options: BenchOptions): Promise<ListResult[]> {
  const results: ListResult[] = [];
  for (const tools of sizes) {
    const { direct, through } = await register(switchyard, `tools-${tools}`, `/tools-${tools}`);
    for (const era of eras) {
      const run = (endpoint: Endpoint) => measureList(endpoint, { era, tools, maxMs: options.phaseMs });
      await run(through);
      const pairs: ListFigures[] = [];
      for (let pair = 0; pair < options.pairs; pair++)
        pairs.push(figuresOf(await run(direct), await run(through)));
      results.push({ tools, era, medians: mediansOf(pairs), pairs });
    }
  }
  return results;
}

async function measureList(
  endpoint: Endpoint,
  { era, tools, maxMs }: { era: Era; tools: number; maxMs: number },
): Promise<Measured> {
  const session = await McpSession.open(endpoint, era);
  try {
    return await runLoad(
      { send: () => session.listTools(), check: (answered) => checkCount(answered, tools) },
      { inFlight: 1, maxMs, maxCalls: mostListings },
    );
  } finally {
    await session.close();
  }
}

function figuresOf(direct: Measured, through: Measured): ListFigures {
  return {
    direct_p50_ms: direct.p50,
    direct_p99_ms: direct.p99,
    through_p50_ms: through.p50,
    through_p99_ms: through.p99,
    errors: direct.errors + through.errors,
  };
}
