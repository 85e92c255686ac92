import { describe, expect, it } from '@jest/globals';
import type { ErrorInfo } from '@switchyard/contracts';
import { describeFailure } from './describe-failure.js';

const info = (
  details: Record<string, unknown>,
  code: ErrorInfo['code'] = 'upstream_unreachable',
): ErrorInfo => ({ code, message: 'No answer.', details });
const described = (error: ErrorInfo, secrets: string[] = []) =>
  describeFailure(error, { stage: 'connect', secrets });

describe('describeFailure', () => {
  it('names reason and status', () => {
    expect(described(info({ reason: 'server_error', upstream_status: 502 })).message).toBe(
      'No answer. (server error, HTTP 502)',
    );
  });

  it.each([
    ['our credential', 'token Bearer sk-canary-1 is bad', 'sk-canary-1'],
    ['a part of it', 'sk-canary-1', 'sk-canary-1'],
    ['an IPv4 address', 'connect to 10.1.2.3:8443 failed', '10.1.2.3'],
    ['an IPv6 address', 'connect to [fd00::1]:8443 failed', 'fd00'],
    ['another URL', 'see http://internal.example/admin?x=1', 'internal.example'],
    ['control characters', 'a\u0000b\r\nc', '\r'],
  ])('does not repeat %s', (_what, said, hidden) => {
    const { message } = described(info({ upstream_message: said }), ['Bearer sk-canary-1']);

    expect(message).toContain('It said: ');
    expect(message).not.toContain(hidden);
  });

  it('keeps what the upstream said readable', () => {
    expect(described(info({ upstream_message: 'Quota of 12:30 used up' })).message).toContain(
      'Quota of 12:30 used up',
    );
  });

  it('is at most 512 characters long', () => {
    expect(described(info({ upstream_message: 'x'.repeat(5_000) })).message).toHaveLength(512);
  });

  it.each([
    ['401', info({ upstream_status: 401 }, 'upstream_denied'), true],
    ['403', info({ upstream_status: 403 }, 'upstream_denied'), false],
    ['needs_reauth', info({}, 'needs_reauth'), true],
  ])('knows whether %s means a dead credential', (_what, error, expected) => {
    expect(described(error).needsReauth).toBe(expected);
  });

  it('does not blame the upstream for a queue that is down', () => {
    expect(described(info({}, 'queue_unavailable')).isOurs).toBe(true);
    expect(describeFailure(info({}, 'deadline_exceeded'), { stage: 'lease', secrets: [] }).isOurs).toBe(true);
    expect(described(info({}, 'deadline_exceeded')).isOurs).toBe(false);
  });
});
