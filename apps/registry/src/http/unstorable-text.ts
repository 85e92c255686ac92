import type { FieldError } from '@switchyard/service-kit';

const message = 'must be well-formed Unicode text without NUL';
const deepest = 16;

/**
 * Texts of a value that PostgreSQL refuses in `text` and `jsonb`: NUL, and halves of surrogate pairs. What is nested
 * deeper than anything of ours is refused too, before it costs the stack.
 */
export function unstorableText(value: unknown, path: readonly string[] = []): FieldError[] {
  if (typeof value === 'string') return isStorable(value) ? [] : [{ path: path.join('.'), message }];
  if (typeof value !== 'object' || value === null) return [];
  if (path.length >= deepest) return [{ path: path.join('.'), message: 'is nested too deeply' }];
  return Object.entries(value).flatMap(([name, inner]) =>
    isStorable(name) ? unstorableText(inner, [...path, name]) : [{ path: path.join('.'), message }],
  );
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
