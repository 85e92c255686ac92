/** One running installation: everything that `npm start` started, in the order in which it has to end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { build } from '../build.ts';
import { settingsFile } from '../identity-provider/settings.ts';
import { cleanDataFolder, makeDataFolder } from './data-folder.ts';
import { removeDevFile, writeDevFile } from './dev-file.ts';
import {
  type EnvironmentInput,
  migratorEnvironment,
  rotationEnvironment,
  publicUrlOf,
} from './environments.ts';
import { Fleet } from './fleet.ts';
import {
  createPolicy,
  createVirtualKey,
  isKeyValid,
  makeFirstCall,
  readRemembered,
  registerSamples,
  waitUntilConnected,
  writeRemembered,
} from './first-call.ts';
import { type Api, apiClient } from './http-client.ts';
import { IdentityProvider, type SampleIdentity } from './identity-provider.ts';
import { services, type StartOptions } from './options.ts';
import { DemoModel } from './sample-agent.ts';
import { choosePorts, gatewayPort } from './ports.ts';
import { EverythingServer, prepareStdioSamples, type Sample, samplesOf } from './sample-servers.ts';
import { forgetFormerMasterKeys, loadSecrets } from './secrets.ts';
import { openStores, type Stores } from './stores.ts';
import { type StartLock, takeStartLock } from './start-lock.ts';

/** Processes of a killed start end within this time. */
const orphanPatienceMs = 8_000;

export type Started = {
  gatewayUrl: string;
  adminKey: string;
  virtualKey: string | null;
  identityProvider: SampleIdentity | null;
  /** The slug of the sample agent. */
  agent: string | null;
  result: string | null;
  problems: string[];
  what: string;
};

export class Installation {
  readonly #root: string;
  readonly #options: StartOptions;
  readonly #fleet = new Fleet(() => this.#writeDevFile());
  #lock?: StartLock;
  #stores?: Stores;
  #everything?: EverythingServer;
  #identityProvider?: IdentityProvider;
  #demoModel?: DemoModel;
  #migrator?: ChildProcess;
  #isReady = false;
  #adminKey = '';
  #virtualKey: string | null = null;
  #isEnding = false;

  get isEnding(): boolean {
    return this.#isEnding;
  }

  constructor(root: string, options: StartOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** Starts everything; `say` is told each step. Rejects when something does not start. */
  async start(say: (step: string) => void, onStoreLost: () => void): Promise<Started> {
    const { dataFolder } = this.#options;
    const input = await this.#prepare(say);
    void this.#stores?.ended.then(() => this.#isEnding || onStoreLost());
    say('Migrating the database');
    await this.#migrate(input);
    await this.#rotateMasterKey(input);
    say('Starting the services');
    await this.#fleet.start(this.#root, this.#options, input);
    const gatewayUrl = `http://127.0.0.1:${this.#fleet.httpPorts('gateway')[0]}`;
    const tried = await this.#trySamples(gatewayUrl, say);
    this.#isReady = true;
    this.#writeDevFile();
    return {
      gatewayUrl,
      adminKey: this.#adminKey,
      virtualKey: this.#virtualKey,
      identityProvider: this.#identityProvider?.facts ?? null,
      ...tried,
      what: `${this.#stores?.what}, data in ${dataFolder}`,
    };
  }

  /** Ends the services, which finish what they can, then what they need for that. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    // Without the lock the folder belongs to another start.
    if (this.#lock) removeDevFile(this.#options.dataFolder);
    this.#migrator?.kill();
    await this.#fleet.stop();
    await Promise.all(this.#samples.map((one) => one.stop()));
    await this.#stores?.stop();
    this.#lock?.release();
  }

  /** Ends all at once, as a crash would; PostgreSQL recovers at the next start. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.#fleet.kill();
    await Promise.all([...this.#samples.map((one) => one.kill()), this.#stores?.kill()]);
    this.#lock?.release();
  }

  get #samples() {
    return [this.#everything, this.#identityProvider, this.#demoModel].filter((one) => one !== undefined);
  }

  async #prepare(say: (step: string) => void): Promise<EnvironmentInput> {
    const { dataFolder, isClean, hasSamples } = this.#options;
    makeDataFolder(dataFolder);
    this.#lock = takeStartLock(dataFolder);
    removeDevFile(dataFolder);
    const gateway = await gatewayPort(this.#options, this.#lock.wasAbandoned ? orphanPatienceMs : 0);
    if (isClean) this.#clean(say);
    const secrets = loadSecrets(dataFolder, process.env.SWITCHYARD_MASTER_KEY);
    this.#adminKey = secrets.adminKey;
    say('Building, and opening the stores');
    const [stores] = await Promise.all([openStores(this.#options, secrets), build()]);
    this.#stores = stores;
    this.#endIfAsked();
    const allowlist = prepareStdioSamples(this.#root, dataFolder, process.env.SWITCHYARD_STDIO_ALLOWLIST);
    const ports = await choosePorts(gateway, this.#options.scale);
    const input = { stores, secrets, ports, allowlist, given: process.env };
    if (hasSamples) await this.#startSamples(publicUrlOf(input));
    return input;
  }

  async #startSamples(publicUrl: string): Promise<void> {
    const { dataFolder } = this.#options;
    const { everythingPort, ...last } = readRemembered(dataFolder);
    this.#everything = await EverythingServer.start(this.#root, dataFolder, everythingPort);
    this.#identityProvider = await IdentityProvider.start(this.#root, dataFolder, publicUrl);
    this.#demoModel = await DemoModel.start(this.#root, dataFolder, last);
  }

  /** A database that was given may be shared: it is not ours to empty, and its vault opens with the present keys alone. */
  #clean(say: (step: string) => void): void {
    const { dataFolder, databaseUrl } = this.#options;
    cleanDataFolder(dataFolder, databaseUrl ? ['secrets.json', 'samples.json', settingsFile] : []);
    if (databaseUrl)
      say('--clean leaves the database of DATABASE_URL as it is; drop it and create it again to forget it');
  }

  async #migrate(input: EnvironmentInput): Promise<void> {
    await this.#run('migrate.ts', migratorEnvironment(services, input), 'The migration failed; see above.');
  }

  /** A master key was given in the place of another. */
  async #rotateMasterKey(input: EnvironmentInput): Promise<void> {
    if (input.secrets.formerMasterKeys.length === 0) return;
    const failure = 'The vault could not be wrapped under the given master key; see above.';
    await this.#run('rotate-master-key.ts', rotationEnvironment(input), failure);
    forgetFormerMasterKeys(this.#options.dataFolder, input.secrets);
  }

  async #run(script: string, env: NodeJS.ProcessEnv, failure: string): Promise<void> {
    const child = spawn(process.execPath, [join(this.#root, 'scripts', script)], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#migrator = child;
    const [code] = (await once(child, 'exit')) as [number | null];
    this.#endIfAsked();
    if (code !== 0) throw new Error(failure);
  }

  async #trySamples(
    gatewayUrl: string,
    say: (step: string) => void,
  ): Promise<Pick<Started, 'result' | 'problems' | 'agent'>> {
    const { dataFolder } = this.#options;
    const [everything, identityProvider] = [this.#everything, this.#identityProvider];
    if (!everything || !identityProvider) return { result: null, problems: [], agent: null };
    const samples = samplesOf(everything);
    const admin = apiClient(gatewayUrl, this.#adminKey);
    say('Connecting the sample MCP servers');
    const isFirstTime = identityProvider.register(admin);
    isFirstTime.catch(() => undefined);
    await registerSamples(admin, samples);
    const { virtualKey: known, hasAgent = false } = readRemembered(dataFolder);
    const key =
      known && (await isKeyValid(gatewayUrl, known)) ? known : await createVirtualKey(admin, samples);
    this.#virtualKey = key;
    const problems = await waitUntilConnected(admin, samples);
    const agent = await this.#registerAgent(admin, samples, hasAgent).catch((error: Error) => {
      problems.push(`there is no sample agent: ${error.message}`);
      return null;
    });
    writeRemembered(dataFolder, {
      ...{ virtualKey: key, everythingPort: everything.port },
      ...this.#demoModel?.memory,
      hasAgent: hasAgent || agent !== null,
    });
    await isFirstTime
      .then((isFirst) => (isFirst ? createPolicy(admin, samples) : undefined))
      .catch((error: Error) => problems.push(`nobody can sign in: ${error.message}`));
    const result = await makeFirstCall(gatewayUrl, key, dataFolder).catch((error: Error) => {
      problems.push(`the first call failed: ${error.message}`);
      return null;
    });
    return { result, problems, agent };
  }

  async #registerAgent(admin: Api, samples: Sample[], hasAgent: boolean): Promise<string | null> {
    return (await this.#demoModel?.register(admin, samples, !hasAgent)) ?? null;
  }

  /** Ctrl-C may come before the processes that it has to end. */
  #endIfAsked(): void {
    if (this.#isEnding) throw new Error('ended while starting');
  }

  #writeDevFile(): void {
    if (!this.#isReady || this.#isEnding) return;
    writeDevFile(this.#options.dataFolder, {
      gatewayPorts: this.#fleet.httpPorts('gateway'),
      adminKey: this.#adminKey,
      virtualKey: this.#virtualKey,
      identityProvider: this.#identityProvider?.facts ?? null,
      demoModel: this.#demoModel?.facts ?? null,
      pids: this.#fleet.pids(),
      opsUrls: this.#fleet.opsUrls(),
    });
  }
}
