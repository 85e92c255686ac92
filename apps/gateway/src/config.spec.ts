import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@switchyard/service-kit';
import { gatewayEnv, toGatewayConfig } from './config.js';

const minimal = {
  SWITCHYARD_SEAL_KEY: 'a-seal-key-of-at-least-32-characters',
  QUEUE_URL: 'redis://127.0.0.1:6379',
  GATEWAY_DATABASE_URL: 'postgres://gateway:password@127.0.0.1/switchyard',
  GATEWAY_REGISTRY_URL: 'http://127.0.0.1:3001',
  GATEWAY_TOKEN_BROKER_URL: 'http://127.0.0.1:3002',
  GATEWAY_DISPATCH_URL: 'http://127.0.0.1:3003',
  GATEWAY_AGENT_RUNNER_URL: 'http://127.0.0.1:3004',
};

function load(env: Record<string, string>) {
  return toGatewayConfig(loadConfig('gateway', gatewayEnv, { ...minimal, ...env }));
}

describe('the gateway’s configuration', () => {
  it('enforces authentication and listens on loopback unless told otherwise', () => {
    expect(load({})).toMatchObject({
      isAuthEnforced: true,
      service: { name: 'gateway', host: '127.0.0.1', httpPort: 8080 },
      edge: { bodyLimitBytes: 4_194_304, allowedOrigins: [] },
      calls: { deadlineMs: 30_000 },
    });
  });

  it('serves all faces unless told otherwise', () => {
    expect(load({})).toMatchObject({
      isMcpEnabled: true,
      bff: { isEnabled: true, waitMs: 25_000, deadlineMs: 300_000, heartbeatMs: 30_000 },
    });
    expect(load({ GATEWAY_MCP_ENABLED: 'false', GATEWAY_BFF_ENABLED: 'false' })).toMatchObject({
      ...{ isMcpEnabled: false, bff: { isEnabled: false } },
    });
  });

  it.each(['proxy.example', '10.0.0.0/33', '0.0.0.0/0', '10.0.0.1/', 'loopback', 'true', '2001:db8::/129'])(
    'trusts no proxy by such a word as %s',
    (value) => expect(() => load({ GATEWAY_TRUSTED_PROXIES: value })).toThrow(/GATEWAY_TRUSTED_PROXIES/),
  );

  it('trusts the proxies that are named, and none unless told', () => {
    expect(load({}).edge.trustedProxies).toEqual([]);
    const named = '10.0.0.0/8, 192.0.2.1, 2001:db8::/32';
    expect(load({ GATEWAY_TRUSTED_PROXIES: named }).edge.trustedProxies).toEqual(named.split(', '));
  });

  it('takes one URL or several of dispatch and of the agent runner', () => {
    expect(load({})).toMatchObject({
      dispatchUrls: ['http://127.0.0.1:3003'],
      agentRunnerUrls: ['http://127.0.0.1:3004'],
    });
    const two = 'http://runner-1:8084, http://runner-2:8084';
    expect(load({ GATEWAY_AGENT_RUNNER_URL: two }).agentRunnerUrls).toEqual(two.split(', '));
    expect(load({ GATEWAY_DISPATCH_URL: two }).dispatchUrls).toEqual(two.split(', '));
  });

  it.each(['', ' , ', 'runner-1:8084', 'http://runner-1:8084,runner-2:8084'])(
    'refuses %j as URLs of a service',
    (value) => {
      expect(() => load({ GATEWAY_AGENT_RUNNER_URL: value })).toThrow(/GATEWAY_AGENT_RUNNER_URL/);
      expect(() => load({ GATEWAY_DISPATCH_URL: value })).toThrow(/GATEWAY_DISPATCH_URL/);
    },
  );

  it('refuses to listen for others under no name', () => {
    expect(() => load({ SWITCHYARD_HOST: '0.0.0.0' })).toThrow(/GATEWAY_PUBLIC_URL/);
    expect(
      load({ SWITCHYARD_HOST: '0.0.0.0', GATEWAY_PUBLIC_URL: 'https://mcp.example.com' }).edge.publicUrl,
    ).toBe('https://mcp.example.com');
    expect(load({ SWITCHYARD_HOST: '0.0.0.0', GATEWAY_ALLOWED_HOSTS: 'gateway' }).edge.allowedHosts).toEqual([
      'gateway',
    ]);
  });

  it('refuses a short seal key, and shows no value', () => {
    expect(() => load({ SWITCHYARD_SEAL_KEY: 'too-short-key' })).toThrow(/SWITCHYARD_SEAL_KEY/);
    expect(() => load({ SWITCHYARD_SEAL_KEY: 'too-short-key' })).not.toThrow(/too-short-key/);
    expect(JSON.stringify(load({}))).not.toContain('password');
  });
});
