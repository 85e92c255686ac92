import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { workspaceRoot } from '@switchyard/testing';

const suite = 'node_modules/@modelcontextprotocol/conformance/dist/index.js';

export type Judgement = {
  /** What its user has to open. */
  readonly authorizationUrl: Promise<string>;
  readonly ended: Promise<{ code: number | null; output: string }>;
};

/** Runs the MCP conformance suite against an authorization server. */
export function judgeAuthorizationServer(args: readonly string[]): Judgement {
  const child = spawn(process.execPath, [suite, 'authorization', ...args], { cwd: workspaceRoot() });
  const { promise: authorizationUrl, resolve } = Promise.withResolvers<string>();
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const found = /https?:\S+\/oauth2\/authorize\?\S+/.exec(output)?.[0];
      if (found && output.includes('\n', output.indexOf(found))) resolve(found);
    });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return { authorizationUrl, ended };
}
