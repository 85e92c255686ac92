import { describe, expect, it } from '@jest/globals';
import { HostOriginCheck } from './host-origin.js';

const local = new HostOriginCheck({
  listenHost: '127.0.0.1',
  publicUrl: undefined,
  allowedHosts: [],
  allowedOrigins: [],
});
const deployed = new HostOriginCheck({
  listenHost: '0.0.0.0',
  publicUrl: 'https://mcp.example.com',
  allowedHosts: ['gateway.internal'],
  allowedOrigins: ['https://app.example.com'],
});

describe('HostOriginCheck', () => {
  it.each(['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080'])(
    'takes %s while it listens on loopback',
    (host) => expect(local.allowsHost(host)).toBe(true),
  );

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:8080', '', undefined])(
    'refuses the host %s on loopback',
    (host) => expect(local.allowsHost(host)).toBe(false),
  );

  it('takes the public and the listed names only, once it listens for others', () => {
    expect(deployed.allowsHost('mcp.example.com')).toBe(true);
    expect(deployed.allowsHost('gateway.internal:8080')).toBe(true);
    expect(deployed.allowsHost('localhost:8080')).toBe(false);
  });

  it('takes requests that no page made', () => {
    expect(deployed.allowsOrigin(undefined)).toBe(true);
  });

  it('compares whole origins: scheme, name and port', () => {
    expect(deployed.allowsOrigin('https://app.example.com')).toBe(true);
    expect(deployed.allowsOrigin('https://mcp.example.com')).toBe(true);
    expect(deployed.allowsOrigin('http://app.example.com')).toBe(false);
    expect(deployed.allowsOrigin('https://app.example.com:444')).toBe(false);
    expect(deployed.allowsOrigin('http://localhost:3000')).toBe(false);
  });

  it.each(['https://evil.example', 'null', 'file://', 'http://127.0.0.1.evil.example'])(
    'refuses a page of %s on loopback',
    (origin) => expect(local.allowsOrigin(origin)).toBe(false),
  );

  it('takes pages of this machine on loopback', () => {
    expect(local.allowsOrigin('http://localhost:6274')).toBe(true);
    expect(local.allowsOrigin('http://[::1]:6274')).toBe(true);
  });
});
