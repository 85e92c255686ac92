/** SQL: the sum of a column of `run_steps s` as a number, exact as long as a number can be; null where nothing was counted. */
export function sumOfTokens(column: 'input_tokens' | 'output_tokens' | 'total_tokens'): string {
  return `CASE WHEN count(s.${column}) > 0 THEN least(sum(s.${column}), ${Number.MAX_SAFE_INTEGER})::float8 END`;
}
