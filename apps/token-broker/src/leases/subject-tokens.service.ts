import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PlatformError, toPlatformError } from '@switchyard/contracts';
import type { VerifiedPerson } from '@switchyard/identity';
import { BrokerKeysService } from '../broker-keys/broker-keys.service.js';
import { IdentityService } from '../callers/identity.service.js';
import type { CheckedAsk } from './lease-ask.js';

export type Subject = { readonly jwt: string; readonly sha256: string; readonly person: VerifiedPerson };

/** The user's own token that came with the call: the very one that the face accepted, valid still, and of this user. */
@Injectable()
export class SubjectTokensService {
  constructor(
    private readonly brokerKeys: BrokerKeysService,
    private readonly identity: IdentityService,
  ) {}

  /** Throws `forbidden`, `token_expired`, `unauthenticated`, `user_inactive` or `dependency_unavailable`. */
  async open({ request }: CheckedAsk, user: { orgId: string; userId: string }): Promise<Subject> {
    const { subjectToken, call } = request;
    const expected = call?.call.subjectTokenSha256;
    if (!subjectToken || !expected || sha256(subjectToken) !== expected)
      throw new PlatformError('forbidden', {
        message: 'The user’s token is not the one that the call was sealed with.',
      });
    const jwt = await this.#unseal(subjectToken);
    const person = await this.identity.verify(jwt);
    const { userId } = await this.identity.userOf(person);
    if (person.orgId !== user.orgId || userId !== user.userId)
      throw new PlatformError('forbidden', { message: 'The user’s token is another user’s.' });
    return { jwt, sha256: sha256(jwt), person };
  }

  async #unseal(jwe: string): Promise<string> {
    try {
      return await this.brokerKeys.unseal(jwe);
    } catch (cause) {
      const { code } = toPlatformError(cause);
      throw new PlatformError(code === 'internal' ? 'forbidden' : code, {
        message: 'The user’s token is not sealed to the broker.',
      });
    }
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
