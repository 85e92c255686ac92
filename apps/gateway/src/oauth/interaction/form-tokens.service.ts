import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { OAuthCipher } from '../store/oauth-cipher.js';
import type { BrowserUser } from './browser-sessions.service.js';

/** Tokens of forms: of one page, in one session, for one user. Nobody else's page could have sent it. */
@Injectable()
export class FormTokens {
  constructor(private readonly cipher: OAuthCipher) {}

  tokenOf(page: string, { sessionSha256, userId }: BrowserUser): string {
    const text = JSON.stringify([page, sessionSha256, userId]);
    return createHmac('sha256', this.cipher.formKey).update(text).digest('base64url');
  }

  isTokenOf(page: string, user: BrowserUser, given: unknown): boolean {
    const expected = Buffer.from(this.tokenOf(page, user));
    const sent = Buffer.from(typeof given === 'string' ? given : '');
    return sent.length === expected.length && timingSafeEqual(sent, expected);
  }
}
