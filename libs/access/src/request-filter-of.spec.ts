import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { filterFields, FilterQuery, requestFilterOf } from './request-filter-of.js';

const headers = {};

describe('the filter of a request', () => {
  it('is none where nothing asks for one', () => {
    expect(requestFilterOf({ headers: { 'x-bf-vk': 'a', 'x-bf-mcp-session': 'b' } })).toBeUndefined();
    expect(requestFilterOf({ headers, query: { format: 'openai' }, body: { name: 'a' } })).toBeUndefined();
    expect(requestFilterOf({ headers, query: undefined, body: 'text' })).toBeUndefined();
  });

  it('comes from headers, queries and bodies alike, and from several of them', () => {
    const filter = { includeClients: ['github', 'web_search'], excludeTools: ['github_delete'] };
    const inHeaders = {
      'x-bf-mcp-include-clients': ' github, web_search,,github',
      'x-bf-mcp-exclude-tools': 'github_delete',
    };
    const query = { include_clients: ['github', 'web_search'], exclude_tools: 'github_delete' };
    const body = { include_clients: ['github', 'web_search'], exclude_tools: ['github_delete'] };
    expect(requestFilterOf({ headers: inHeaders })).toEqual(filter);
    expect(requestFilterOf({ headers, query })).toEqual(filter);
    expect(requestFilterOf({ headers, body })).toEqual(filter);
    const { include_clients: clients } = query;
    const mixed = { query: { include_clients: clients }, body: { exclude_tools: ['github_delete'] } };
    expect(requestFilterOf({ headers, ...mixed })).toEqual(filter);
  });

  it('tells a list that is empty from one that is absent', () => {
    expect(requestFilterOf({ headers: { 'x-bf-mcp-include-tools': '' } })).toEqual({ includeTools: [] });
    expect(requestFilterOf({ headers, query: { include_clients: ' , ' } })).toEqual({ includeClients: [] });
    expect(requestFilterOf({ headers, body: { include_tools: [] } })).toEqual({ includeTools: [] });
  });

  it('takes a header that is repeated as one list', () => {
    const repeated = { 'x-bf-mcp-include-clients': ['a', 'b, c'] as never };
    expect(requestFilterOf({ headers: repeated })).toEqual({ includeClients: ['a', 'b', 'c'] });
  });

  it('refuses a list that stands in two places, even if both say the same', () => {
    const header = { 'x-bf-mcp-include-tools': 'a' };
    for (const sources of [
      { headers: header, query: { include_tools: 'a' } },
      { headers: header, body: { include_tools: ['a'] } },
      { headers, query: { include_tools: 'a' }, body: { include_tools: ['a'] } },
    ])
      expect(() => requestFilterOf(sources)).toThrow(/include_tools is given in more than one place/);
  });

  it('refuses names that only look like a filter’s', () => {
    expect(() => requestFilterOf({ headers: { 'x-bf-mcp-include-client': 'a' } })).toThrow(/include-client /);
    expect(() => requestFilterOf({ headers, body: { exclude_tool: ['a'] } })).toThrow(/exclude_tool /);
    expect(FilterQuery.safeParse({ include_client: 'a' }).error?.message).toContain('include_client');
  });

  it('refuses what is no list of names, and lists beyond bounds', () => {
    const many = Array.from({ length: 1_001 }, (_, at) => `n${at}`);
    const ofQuery = (query: object) => () => requestFilterOf({ headers, query });
    expect(() => requestFilterOf({ headers: { 'x-bf-mcp-include-tools': many.join() } })).toThrow(
      /1000 names/,
    );
    expect(ofQuery({ exclude_clients: 'x'.repeat(201) })).toThrow(/200 characters/);
    expect(ofQuery({ exclude_clients: { a: 'b' } })).toThrow(/exclude_clients/);
    expect(z.object(filterFields).safeParse({ include_tools: many }).success).toBe(false);
  });
});
