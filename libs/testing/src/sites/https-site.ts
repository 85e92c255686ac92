import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianCommand } from '../debian-command.js';

/** A site on https with one document for each path. Whoever trusts `caFile` (NODE_EXTRA_CA_CERTS) reads it. */
export class HttpsSite {
  readonly documents = new Map<string, object>();

  private constructor(
    private readonly folder: string,
    private readonly server: Server,
  ) {
    server.on('request', ({ url }, response) => {
      const found = this.documents.get(url ?? '');
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found ?? {}));
    });
  }

  static async start(): Promise<HttpsSite> {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-site-'));
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'ca.pem')];
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    execFileSync(
      debianCommand(['openssl'], { install: 'openssl' }),
      ['req', '-x509', ...key, '-out', certFile, '-days', '2', ...names],
      {
        stdio: 'pipe',
      },
    );
    const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new HttpsSite(folder, server);
  }

  get caFile(): string {
    return join(this.folder, 'ca.pem');
  }

  urlOf(path: string): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
