import { describe, expect, it } from '@jest/globals';
import { forwardedHeaders } from './forwarded-headers.js';

const arrived = { ip: '127.0.0.1', protocol: 'http' };

describe('forwardedHeaders', () => {
  it('drops what belongs to one connection, and what the client says does', () => {
    const headers = {
      connection: 'close, X-Private',
      'x-private': '1',
      te: 'trailers',
      authorization: 'Bearer a',
      host: 'gateway.example',
    };
    expect(forwardedHeaders({ ...arrived, headers }, headers)).toEqual({
      authorization: 'Bearer a',
      host: 'gateway.example',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'gateway.example',
      'x-forwarded-proto': 'http',
    });
  });

  it('believes no claim about where the request came from', () => {
    const headers = { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1', 'x-real-ip': '10.0.0.1' };
    expect(forwardedHeaders({ ...arrived, headers }, headers)).not.toHaveProperty('forwarded');
    expect(forwardedHeaders({ ...arrived, headers }, headers)['x-forwarded-for']).toBe('127.0.0.1');
  });
});
