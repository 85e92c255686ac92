import { ask } from '../harness/http.js';
import type { Switchyard } from '../harness/switchyard.js';

export function readLogs(switchyard: Switchyard): string {
  return switchyard.logs();
}

/** What every process says of itself to operators. */
export async function readMetrics(switchyard: Switchyard): Promise<string> {
  const urls = Object.values(switchyard.dev.ops_urls).flat();
  const pages = urls.flatMap((url) =>
    ['/metrics', '/readyz', '/healthz'].map((path) => ask(new URL(path, url))),
  );
  return (await Promise.all(pages)).map(({ text }) => text).join('\n');
}
