import { type LinearMatcher, linearRegExp } from './linear-regexp.js';
import { orNothing } from './name-pattern.js';

const compiled = new Map<string, LinearMatcher>();
const maxCompiled = 5_000;
const maxUriLength = 8_192;

/**
 * Whether a URI could be an expansion of an RFC 6570 template. Looser than the RFC, for it only says which upstream is
 * asked, and that one answers: a plain `{name}` stands for text without `/`, `?` or `#`, every other expression for any.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  if (uri.length > maxUriLength) return false;
  const matcher = compiled.get(template) ?? orNothing(() => linearRegExp(sourceOf(template)));
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(template, matcher);
  return matcher.test(uri);
}

function sourceOf(template: string): string {
  const parts = template.split(/(\{[^{}]*\})/);
  return `^${parts.map((part, at) => (at % 2 === 0 ? escape(part) : expression(part))).join('')}$`;
}

function expression(part: string): string {
  return /^\{\w+\}$/.test(part) ? '[^/?#]*' : '[\\s\\S]*';
}

function escape(literal: string): string {
  return literal.replaceAll(/[\\^$.|?*+()[\]{}/-]/g, '\\$&');
}
