import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type EnvironmentInput, publicUrlOf, serviceEnvironment } from './environments.ts';
import { services } from './options.ts';

const secrets = {
  masterKey: 'the-master',
  formerMasterKeys: [],
  sealKey: 'the-seal',
  adminKey: 'the-admin',
  postgresPassword: 'p',
};

function input(given: NodeJS.ProcessEnv = {}): EnvironmentInput {
  return {
    stores: { adminUrl: 'postgres://root:p@localhost/s', queueUrl: 'postgres://q:p@localhost/s' } as never,
    secrets,
    ports: {
      gateway: 8080,
      registry: 8081,
      tokenBroker: 8082,
      dispatch: [8083, 8093],
      agentRunner: [8084, 8094],
    },
    allowlist: '/list.json',
    given,
  };
}

const holders = (value: string) =>
  services.filter((name) => Object.values(serviceEnvironment(name, 0, input())).includes(value));

describe('the environment of a service', () => {
  it('holds a secret only where it is needed', () => {
    expect(holders(secrets.masterKey)).toEqual(['token-broker']);
    expect(holders(secrets.adminKey)).toEqual(['registry']);
    // Its digest opens nothing; those have it who tell the operator by it.
    expect(holders(createHash('sha256').update(secrets.adminKey).digest('hex'))).toEqual([
      'token-broker',
      'dispatch',
      'agent-runner',
      'gateway',
    ]);
    expect(holders(secrets.postgresPassword)).toEqual([]);
  });

  it('names the folder of local tools, where one is given, to those who need it', () => {
    const given = { SWITCHYARD_LOCAL_TOOLS: '/srv/tools', SWITCHYARD_LOCAL_TOOLS_SLUG: 'own' };
    const told = services.filter(
      (name) => serviceEnvironment(name, 0, input(given)).SWITCHYARD_LOCAL_TOOLS === '/srv/tools',
    );
    expect(told).toEqual(['registry', 'dispatch']);
    expect(serviceEnvironment('registry', 0, input(given))).toMatchObject({
      SWITCHYARD_LOCAL_TOOLS_SLUG: 'own',
    });
    for (const name of services)
      expect(serviceEnvironment(name, 0, input())).not.toHaveProperty('SWITCHYARD_LOCAL_TOOLS');
  });

  it('says to all under which origin users come, the one that was set or the gateway’s own', () => {
    for (const name of services)
      expect(serviceEnvironment(name, 0, input())).toMatchObject({
        SWITCHYARD_PUBLIC_URL: 'http://127.0.0.1:8080',
      });
    expect(publicUrlOf(input({ SWITCHYARD_PUBLIC_URL: 'https://tools.example.com/' }))).toBe(
      'https://tools.example.com',
    );
  });

  it('names the ports of registry and token broker only to their first process, and to those who call it', () => {
    expect(serviceEnvironment('token-broker', 0, input())).toMatchObject({ TOKEN_BROKER_PORT: '8082' });
    expect(serviceEnvironment('token-broker', 1, input())).toMatchObject({ TOKEN_BROKER_PORT: '0' });
    expect(serviceEnvironment('gateway', 0, input())).toMatchObject({
      GATEWAY_TOKEN_BROKER_URL: 'http://127.0.0.1:8082',
      SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true',
    });
  });

  it('gives each process of dispatch and of the agent runner a port, and the gateway all of them', () => {
    expect(serviceEnvironment('dispatch', 1, input())).toMatchObject({ DISPATCH_PORT: '8093' });
    expect(serviceEnvironment('agent-runner', 0, input())).toMatchObject({ AGENT_RUNNER_PORT: '8084' });
    expect(serviceEnvironment('agent-runner', 1, input())).toMatchObject({ AGENT_RUNNER_PORT: '8094' });
    expect(serviceEnvironment('gateway', 1, input())).toMatchObject({
      GATEWAY_DISPATCH_URL: 'http://127.0.0.1:8083,http://127.0.0.1:8093',
      GATEWAY_AGENT_RUNNER_URL: 'http://127.0.0.1:8084,http://127.0.0.1:8094',
    });
  });
});
