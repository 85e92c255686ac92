import { ask } from './http.js';

/** The sum of a metric over the processes at these addresses, of the samples that have all the given labels. */
export async function sumOfMetric(
  opsUrls: readonly string[],
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const pages = await Promise.all(opsUrls.map(async (url) => (await ask(new URL('/metrics', url))).text));
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pages
    .flatMap((page) => page.split('\n'))
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((pair) => line.includes(pair)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
