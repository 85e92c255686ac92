type Frame = { functionName: string; url: string; lineNumber: number };
type ProfileNode = { id: number; callFrame: Frame; children?: number[] };
export type CpuProfile = { nodes: ProfileNode[]; samples: number[]; timeDeltas: number[] };

type Share = { name: string; share: number };
export type ProfileSummary = { busyShare: number; packages: Share[]; functions: Share[] };

const shownPackages = 14;
const shownFunctions = 14;

/**
 * Where busy time went: by nearest package (a frame of Node counts for the package that called it) and by function.
 * Shares are of busy time.
 */
export function summarizeProfile({ nodes, samples, timeDeltas }: CpuProfile): ProfileSummary {
  const owners = ownersOf(nodes);
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  let busy = 0;
  samples.forEach((id, index) => {
    const spent = timeDeltas[index] ?? 0;
    const frame = frames.get(id);
    // The profiler's own start and stop.
    if (!frame || frame.url === 'node:inspector') return;
    total += spent;
    if (frame.functionName === '(idle)') return;
    busy += spent;
    add(packages, owners.get(id) ?? 'node', spent);
    add(functions, describeFrame(frame), spent);
  });
  return {
    busyShare: total === 0 ? 0 : busy / total,
    packages: largest(packages, busy, shownPackages),
    functions: largest(functions, busy, shownFunctions),
  };
}

/** The nearest package of every node: its own, or that of the frames above it. */
function ownersOf(nodes: ProfileNode[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, string>();
  const [root] = nodes;
  const open: { node: ProfileNode; above: string }[] = root ? [{ node: root, above: 'node' }] : [];
  for (let next = open.pop(); next; next = open.pop()) {
    const owner = packageOf(next.node.callFrame) ?? next.above;
    owners.set(next.node.id, owner);
    for (const child of next.node.children ?? []) {
      const node = byId.get(child);
      if (node) open.push({ node, above: owner });
    }
  }
  return owners;
}

function packageOf({ functionName, url }: Frame): string | undefined {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (functionName === '(program)') return 'program';
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  return installed ?? /\/((?:apps|libs)\/[^/]+)\//.exec(url)?.[1];
}

function describeFrame({ functionName, url, lineNumber }: Frame): string {
  const where = url === '' ? '' : ` (${url.split('/').slice(-2).join('/')}:${lineNumber + 1})`;
  return `${functionName || 'anonymous'}${where}`;
}

function add(sums: Map<string, number>, name: string, spent: number): void {
  sums.set(name, (sums.get(name) ?? 0) + spent);
}

function largest(sums: Map<string, number>, whole: number, count: number): Share[] {
  return [...sums]
    .map(([name, spent]) => ({ name, share: spent / whole }))
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}
