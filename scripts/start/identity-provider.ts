/** The sample identity provider: a process of ours, and its entry in the registry. */
import { join } from 'node:path';
import { clientId, issuerOf, loadSettings, type Settings } from '../identity-provider/settings.ts';
import { freePort, isFree } from '../stores/free-port.ts';
import type { Api } from './http-client.ts';
import { KeptProcess } from './kept-process.ts';

/** As `dev.json` shows it. */
export type SampleIdentity = {
  issuer: string;
  client_id: string;
  users: { username: string; password: string }[];
};

type Registered = { id: string; name: string; issuer: string; audience: string };

const name = 'Sample users of npm start';
const readyLimitMs = 20_000;

export class IdentityProvider {
  readonly #settings: Settings;
  readonly #process: KeptProcess;
  readonly #publicUrl: string;

  private constructor(settings: Settings, process: KeptProcess, publicUrl: string) {
    this.#settings = settings;
    this.#process = process;
    this.#publicUrl = publicUrl;
  }

  /** On the port of the last start if it is still free, for the issuer is registered. */
  static async start(root: string, dataFolder: string, publicUrl: string): Promise<IdentityProvider> {
    const choosePort = async (last?: number) => (last && (await isFree(last)) ? last : freePort());
    const settings = await loadSettings(dataFolder, choosePort);
    const main = join(root, 'scripts/identity-provider/main.ts');
    const process = new KeptProcess(
      ['--no-warnings', main, dataFolder, publicUrl],
      join(dataFolder, 'logs/identity-provider.log'),
    );
    return new IdentityProvider(settings, process, publicUrl);
  }

  get facts(): SampleIdentity {
    return {
      issuer: issuerOf(this.#settings),
      client_id: clientId,
      users: this.#settings.users.map(({ username, password }) => ({ username, password })),
    };
  }

  /**
   * Lets the organization `default` trust it; an entry of a start on other ports is mended. Whether it is the first time.
   */
  async register(admin: Api): Promise<boolean> {
    await this.#untilReady();
    const entry = {
      issuer: issuerOf(this.#settings),
      audience: this.#publicUrl,
      client_id: clientId,
    };
    const known = await this.#registered(admin);
    if (!known)
      await admin('POST', '/api/identity-providers', {
        name,
        ...entry,
        roles_claim: 'roles',
        admin_roles: ['admin'],
      });
    else if (known.issuer !== entry.issuer || known.audience !== entry.audience)
      await admin('PATCH', `/api/identity-providers/${known.id}`, entry);
    return !known;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  async #registered(admin: Api): Promise<Registered | undefined> {
    const { items } = await admin<{ items: Registered[] }>('GET', '/api/identity-providers?limit=200');
    return items.find((one) => one.issuer === issuerOf(this.#settings) || one.name === name);
  }

  async #untilReady(): Promise<void> {
    const url = `${issuerOf(this.#settings)}/.well-known/openid-configuration`;
    for (const giveUpAt = Date.now() + readyLimitMs; ; await new Promise((done) => setTimeout(done, 50))) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      if (Date.now() > giveUpAt) throw new Error('the identity provider does not start; see its log');
    }
  }
}
