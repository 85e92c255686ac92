import { Injectable } from '@nestjs/common';
import {
  type RequestFilter,
  type ResolvedTool,
  resolveTools,
  SnapshotStore,
  toolModeOf,
} from '@switchyard/access';
import {
  type CallerContext,
  type ErrorInfo,
  PlatformError,
  type ToolResult,
  toPlatformError,
  type WireTool,
} from '@switchyard/contracts';
import type { z } from 'zod';
import { RateLimits } from '../rate-limits/rate-limits.service.js';
import { CallArguments, DetailsArguments, SearchArguments, searchTools } from './search-tools.js';
import { ToolSearch } from './tool-search.repository.js';

const shortDescriptionLength = 200;

export type SearchFrame = { readonly caller: CallerContext; readonly filter: RequestFilter | undefined };
export type NamedCall = { readonly name: string; readonly arguments: Record<string, unknown> };

/** What a `tools/call` means in search mode: a call of the tool that `call_tool` names, an answer of ours, or neither. */
export type Translated =
  | ({ readonly kind: 'call' } & NamedCall)
  | { readonly kind: 'result'; readonly result: ToolResult }
  | { readonly kind: 'refused'; readonly error: ErrorInfo };

/** Large catalogs for small contexts: callers in this mode see three tools, by which they find and call their own. */
@Injectable()
export class SearchMode {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly search: ToolSearch,
    private readonly rateLimits: RateLimits,
  ) {}

  /** Whether the caller's virtual key or toolset asks for it. */
  isOn(caller: CallerContext): boolean {
    return toolModeOf(this.snapshots.current(), caller) === 'search';
  }

  list(): readonly WireTool[] {
    return searchTools;
  }

  /** Real names mean nothing here but inside of `call_tool`. */
  async translate(frame: SearchFrame, call: NamedCall): Promise<Translated> {
    switch (call.name) {
      case 'search_tools':
        return this.#answer(SearchArguments, call, (given) => this.#found(frame, given));
      case 'get_tool_details':
        return this.#answer(DetailsArguments, call, ({ names }) => this.#details(frame, names));
      case 'call_tool': {
        const parsed = CallArguments.safeParse(call.arguments);
        return parsed.success ? { kind: 'call', ...parsed.data } : refused(misfit(parsed.error));
      }
      default:
        return refused(
          new PlatformError('tool_not_found', {
            message: 'Here tools are found by search_tools and called by call_tool.',
          }),
        );
    }
  }

  async #answer<S extends z.ZodType>(
    schema: S,
    call: NamedCall,
    answer: (given: z.output<S>) => Promise<Record<string, unknown>> | Record<string, unknown>,
  ): Promise<Translated> {
    const parsed = schema.safeParse(call.arguments);
    if (!parsed.success) return refused(misfit(parsed.error));
    try {
      const body = await answer(parsed.data);
      return {
        kind: 'result',
        result: { content: [{ type: 'text', text: JSON.stringify(body) }], structuredContent: body },
      };
    } catch (thrown) {
      return refused(toPlatformError(thrown));
    }
  }

  /** It costs a query, so it counts as a call. */
  async #found(
    { caller, filter }: SearchFrame,
    { query, limit }: z.output<typeof SearchArguments>,
  ): Promise<Record<string, unknown>> {
    const limited = await this.rateLimits.take(caller);
    if (limited) throw PlatformError.fromInfo(limited);
    const own = resolveTools(this.snapshots.current(), caller, filter);
    const { tools, total } = await this.search.search(own, query, limit);
    return {
      tools: tools.map(({ outwardName, wire }) => ({
        name: outwardName,
        description: shortened(wire['description'] ?? wire['title']),
      })),
      total,
      // Nothing found: then at least what there is to be found.
      ...(total === 0 && { sources: sourcesOf(own) }),
    };
  }

  #details({ caller, filter }: SearchFrame, names: readonly string[]): Record<string, unknown> {
    const own = resolveTools(this.snapshots.current(), caller, filter);
    const wanted = new Set(names);
    const tools = own.filter(({ outwardName }) => wanted.has(outwardName)).map(({ wire }) => wire);
    const known = new Set(tools.map(({ name }) => name));
    return { tools, not_found: [...wanted].filter((name) => !known.has(name)) };
  }
}

function refused(error: PlatformError): Translated {
  return { kind: 'refused', error: error.toInfo() };
}

function misfit({ issues }: z.ZodError): PlatformError {
  const errors = issues.slice(0, 5).map(({ path, message }) => ({ path: `/${path.join('/')}`, message }));
  const message = errors.map((one) => `${one.path}: ${one.message}`).join('; ');
  return new PlatformError('tool_arguments_invalid', { message: `${message}.`, details: { errors } });
}

function shortened(description: unknown): string {
  if (typeof description !== 'string') return '';
  const line = description.replaceAll(/\s+/g, ' ').trim();
  return line.length > shortDescriptionLength ? `${line.slice(0, shortDescriptionLength)}…` : line;
}

function sourcesOf(tools: readonly ResolvedTool[]): { name: string; tools: number }[] {
  const bySlug = Map.groupBy(tools, ({ integration }) => integration.slug);
  return [...bySlug].slice(0, 50).map(([name, { length }]) => ({ name, tools: length }));
}
