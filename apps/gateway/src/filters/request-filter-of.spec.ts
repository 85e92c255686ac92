import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  filterFields,
  requestFilterFromBody,
  requestFilterFromQuery,
  requestFilterOf,
} from './request-filter-of.js';

describe('the filter of a request', () => {
  it('is none where nothing asks for one', () => {
    expect(requestFilterOf({ 'x-bf-vk': 'a' })).toBeUndefined();
    expect(requestFilterFromQuery({ format: 'openai' })).toBeUndefined();
    expect(requestFilterFromQuery(undefined)).toBeUndefined();
    expect(requestFilterFromBody({})).toBeUndefined();
  });

  it('comes from headers, queries and bodies alike', () => {
    const filter = { includeClients: ['github', 'web_search'], excludeTools: ['github_delete'] };
    expect(
      requestFilterOf({
        'x-bf-mcp-include-clients': ' github, web_search,,github',
        'x-bf-mcp-exclude-tools': 'github_delete',
      }),
    ).toEqual(filter);
    expect(
      requestFilterFromQuery({ include_clients: ['github', 'web_search'], exclude_tools: 'github_delete' }),
    ).toEqual(filter);
    expect(
      requestFilterFromBody({
        include_clients: ['github', 'web_search'],
        exclude_tools: ['github_delete'],
      }),
    ).toEqual(filter);
  });

  it('tells a list that is empty from one that is absent', () => {
    expect(requestFilterOf({ 'x-bf-mcp-include-tools': '' })).toEqual({ includeTools: [] });
    expect(requestFilterFromQuery({ include_clients: ' , ' })).toEqual({ includeClients: [] });
    expect(requestFilterFromBody({ include_tools: [] })).toEqual({ includeTools: [] });
  });

  it('takes a header that is repeated as one list', () => {
    expect(requestFilterOf({ 'x-bf-mcp-include-clients': ['a', 'b, c'] as never })).toEqual({
      includeClients: ['a', 'b', 'c'],
    });
  });

  it('refuses what is no list of names, and lists beyond bounds', () => {
    const many = Array.from({ length: 1_001 }, (_, at) => `n${at}`);
    expect(() => requestFilterOf({ 'x-bf-mcp-include-tools': many.join() })).toThrow(/1000 names/);
    expect(() => requestFilterFromQuery({ exclude_clients: 'x'.repeat(201) })).toThrow(/200 characters/);
    expect(() => requestFilterFromQuery({ exclude_clients: { a: 'b' } })).toThrow(/exclude_clients/);
    expect(z.object(filterFields).safeParse({ include_tools: many }).success).toBe(false);
  });
});
