import { createHash } from 'node:crypto';

/** What every provider takes as a tool's name. */
const maxLength = 64;
const foreign = /[^A-Za-z0-9_-]/g;

/**
 * A name for each tool that every provider takes, unique among them: the outward name where it is fit, else one with
 * foreign characters as `_`, cut, and a hash of the whole name at its end. Depends on the tool's own name alone
 * unless two tools share one.
 */
export function modelToolNames(outwardNames: readonly string[]): string[] {
  const taken = new Set(outwardNames.filter(isFit));
  const seen = new Set<string>();
  return outwardNames.map((name, index) => {
    const fit = isFit(name) && !seen.has(name) ? name : freeName(name, index, taken);
    seen.add(fit);
    taken.add(fit);
    return fit;
  });
}

function isFit(name: string): boolean {
  return name !== '' && name.length <= maxLength && name.search(foreign) < 0;
}

function freeName(name: string, index: number, taken: ReadonlySet<string>): string {
  const first = withHash(name, name);
  return taken.has(first) ? withHash(name, `${name}\n${index}`) : first;
}

function withHash(name: string, hashed: string): string {
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, 8);
  return `${name.replaceAll(foreign, '_').slice(0, maxLength - 9)}_${hash}`;
}
