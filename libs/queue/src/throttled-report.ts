const quietMs = 10_000;

/** Passes an error on unless one of the same text passed within the last ten seconds: an outage is said once. */
export function throttledReport(report: (error: unknown) => void): (error: unknown) => void {
  const lastAt = new Map<string, number>();
  return (error) => {
    const text = error instanceof Error ? error.message : String(error);
    const now = Date.now();
    if (now - (lastAt.get(text) ?? 0) < quietMs) return;
    if (lastAt.size > 1_000) lastAt.clear();
    lastAt.set(text, now);
    report(error);
  };
}
