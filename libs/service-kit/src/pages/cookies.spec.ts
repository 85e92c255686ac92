import { describe, expect, it } from '@jest/globals';
import { Cookies } from './cookies.js';

const secure = new Cookies('https://switchyard.example');
const plain = new Cookies('http://127.0.0.1:8080');

describe('a cookie of ours', () => {
  it('is bound to this very host on https', () => {
    expect(secure.write('session', 'x', 60)).toBe(
      '__Host-switchyard_session=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure',
    );
  });

  it('needs no https on a developer’s machine', () => {
    expect(plain.write('session', 'x', 60)).not.toContain('Secure');
  });

  it('is found among others, by its whole name', () => {
    expect(plain.read('a=1; switchyard_session=x=y; b=2', 'session')).toBe('x=y');
    expect(secure.read('switchyard_session=x', 'session')).toBeNull();
    expect(plain.read(undefined, 'session')).toBeNull();
  });

  it('is nobody’s where two of its name came: one of them was planted', () => {
    expect(plain.read('switchyard_session=x; switchyard_session=y', 'session')).toBeNull();
  });
});
