import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { KeysService } from '../vault/keys.service.js';
import type { Consent } from './consents.repository.js';

type Bound = Pick<Consent, 'id' | 'userId' | 'integrationId' | 'sessionId' | 'issuer'>;

/** Signed texts that travel through the browser: the state of a consent, the token of a form. */
@Injectable()
export class BrowserCodes {
  constructor(private readonly keys: KeysService) {}

  /** The state of a consent, bound to user, integration, browser session and issuer. */
  stateOf(consent: Bound): string {
    return `${consent.id}.${this.keys.code('browser-codes', stateParts(consent)).toString('base64url')}`;
  }

  /** The consent's id in a state, not yet judged; null for what is no state. */
  idIn(state: string): string | null {
    const [id = '', code = '', ...more] = state.split('.');
    return more.length === 0 && code !== '' && z.uuid().safeParse(id).success ? id : null;
  }

  isStateOf(consent: Bound, state: string): boolean {
    const code = Buffer.from(state.split('.')[1] ?? '', 'base64url');
    return this.keys.isCode('browser-codes', stateParts(consent), code);
  }

  /** For one form in one session: nobody else's page can send it (CSRF). */
  formToken(sessionId: string, form: string): string {
    return this.keys.code('browser-codes', ['form', sessionId, form]).toString('base64url');
  }

  isFormToken(sessionId: string, form: string, token: unknown): boolean {
    if (typeof token !== 'string') return false;
    return this.keys.isCode('browser-codes', ['form', sessionId, form], Buffer.from(token, 'base64url'));
  }
}

function stateParts({ id, userId, integrationId, sessionId, issuer }: Bound): string[] {
  return ['consent', id, userId, integrationId, sessionId, issuer];
}
