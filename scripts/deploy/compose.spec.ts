import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { services } from '../start/options.ts';

type Service = {
  environment?: Record<string, string>;
  networks?: string[] | Record<string, { aliases?: string[] } | null>;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
};

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const text = read('docker-compose.yml');
const compose = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  networks: object;
  volumes: object;
};
const realm = JSON.parse(read('deploy/keycloak/switchyard-realm.json')) as {
  clients: {
    clientId: string;
    publicClient: boolean;
    attributes: object;
    protocolMappers: { config: object }[];
  }[];
  users: { username: string; realmRoles: string[] }[];
};

function made(...args: string[]): Record<string, string> {
  const output = execFileSync(process.execPath, [join(root, 'deploy/make-env.mjs'), ...args], {
    encoding: 'utf8',
  });
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  ) as never;
}

function placeholders(of: string, pattern: RegExp): string[] {
  return [...new Set([...of.matchAll(pattern)].map(([, name]) => String(name)))].sort();
}

describe('docker-compose.yml', () => {
  it('has every service, and each dependency, network and volume that one names', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining([...services, 'postgres', 'keycloak']),
    );
    for (const { depends_on: needs = {}, networks = [], volumes = [] } of Object.values(compose.services)) {
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(Object.keys(needs)));
      const names = Array.isArray(networks) ? networks : Object.keys(networks);
      expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(names));
      for (const volume of volumes.filter((one) => !one.startsWith('.')))
        expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    }
  });

  it('asks for no secret that make-env does not make, and make-env for none that nobody needs', () => {
    const required = placeholders(text, /\$\{(\w+):\?\}/g);
    expect(Object.keys(made()).sort()).toEqual(required);
    expect(made()).not.toEqual(made());
  });

  it('runs as on a developer’s machine only where that was asked for', () => {
    expect(made()).not.toHaveProperty('SWITCHYARD_ENV');
    expect(made('--try-out')).toMatchObject({
      SWITCHYARD_ENV: 'development',
      SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true',
    });
  });

  it('shows the master key to the broker alone, and the admin key to none but the registry’s own', () => {
    const holders = (name: string) =>
      Object.entries(compose.services).flatMap(([service, { environment = {} }]) =>
        Object.values(environment).some((value) => value.includes(`\${${name}:`)) ? [service] : [],
      );
    expect(holders('SWITCHYARD_MASTER_KEY')).toEqual(['token-broker']);
    expect(holders('REGISTRY_ADMIN_KEY')).toEqual(['registry', 'keycloak-registration']);
  });

  it('gives Keycloak what its realm asks for', () => {
    const asked = placeholders(read('deploy/keycloak/switchyard-realm.json'), /\$\{(\w+)\}/g);
    expect(Object.keys(compose.services['keycloak']?.environment ?? {})).toEqual(
      expect.arrayContaining(asked),
    );
  });
});

describe('the realm of Keycloak', () => {
  it('has the client and the users of npm start, with PKCE, audience and roles', () => {
    const [client] = realm.clients;
    expect(client).toMatchObject({
      clientId: 'switchyard',
      publicClient: true,
      attributes: { 'pkce.code.challenge.method': 'S256' },
    });
    expect(client?.protocolMappers.map(({ config }) => config)).toMatchObject([
      { 'included.custom.audience': '${SWITCHYARD_PUBLIC_URL}' },
      { 'claim.name': 'roles', multivalued: 'true' },
    ]);
    expect(realm.users.map(({ username, realmRoles }) => [username, realmRoles.includes('admin')])).toEqual([
      ['alice', true],
      ['bob', false],
    ]);
  });
});
