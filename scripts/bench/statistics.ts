/** The value below which `share` of the sorted values lie (nearest rank). */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle)
    ? ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
    : (sorted[Math.floor(middle)] as number);
}

/** Of each field of the records, the median over the records: of a run's pairs, for instance. */
export function mediansOf<K extends string>(records: readonly Record<K, number>[]): Record<K, number> {
  const [first] = records;
  if (!first) throw new Error('no record to take the median of');
  const names = Object.keys(first) as K[];
  return Object.fromEntries(
    names.map((name) => [name, median(records.map((record) => record[name]))]),
  ) as Record<K, number>;
}
