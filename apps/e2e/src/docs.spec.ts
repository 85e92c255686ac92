import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { workspaceRoot } from '@switchyard/testing';

const root = workspaceRoot();
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/flow.md',
  'docs/glossary.md',
  'docs/access.md',
  'docs/agents.md',
  'docs/approvals.md',
  'docs/bff.md',
  'docs/identity.md',
  'docs/local-tools.md',
  'docs/mcp.md',
  'docs/oauth.md',
  'docs/performance.md',
  'docs/stdio-servers.md',
];

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

describe.each(pages)('%s', (page) => {
  it('names only files and folders that exist', () => {
    const named = [...read(page).matchAll(/`((?:apps|libs|docs|scripts|deploy)\/[\w./-]+)`/g)].map(
      ([, path]) => String(path),
    );
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('links only to pages that exist', () => {
    const linked = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => String(path));
    expect(linked.filter((path) => !existsSync(join(root, dirname(page), path)))).toEqual([]);
  });
});

it('the README has the flow table, with a path for each of its seven steps', () => {
  const rows = read('README.md').match(/^\| [1-7] \| .+ \| .*`(?:apps|libs)\/.+` \|$/gm);
  expect(rows).toHaveLength(7);
});
