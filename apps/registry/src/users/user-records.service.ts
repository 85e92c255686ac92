import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import type { UserRecord, UserRecordAnswer } from '@switchyard/contracts';
import type { VerifiedPerson } from '@switchyard/identity';
import { ChangesService } from '../changes/changes.service.js';
import { unstorableText } from '../http/unstorable-text.js';
import { UsersRepository } from './users.repository.js';

/** Keeps the users whom the faces have seen. Nobody is registered beforehand: a verified token makes its user. */
@Injectable()
export class UserRecordsService {
  constructor(
    private readonly users: UsersRepository,
    private readonly changes: ChangesService,
  ) {}

  async answer(record: UserRecord): Promise<UserRecordAnswer> {
    if (unstorableText(record).length > 0) return refused('invalid_request');
    const user = await this.users.seen(record);
    if (!user) return refused('not_found');
    const { id, active, isNew } = user;
    if (isNew) await this.changes.announce({ entity: 'user', change: 'created', orgId: record.orgId, id });
    return { status: 'known', userId: id, active };
  }

  /** The same for who comes to this service, without a cache: here an inactive user is refused at once. */
  async userOf(person: VerifiedPerson): Promise<{ userId: string }> {
    const { orgId, issuer, subject, username, email, displayName, roles } = person;
    const answer = await this.answer({
      v: 1,
      ...{ orgId, issuer, subject, username, email, displayName, roles },
    });
    if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
    if (!answer.active) throw new PlatformError('user_inactive');
    return { userId: answer.userId };
  }
}

function refused(code: 'invalid_request' | 'not_found'): UserRecordAnswer {
  return { status: 'refused', error: new PlatformError(code).toInfo() };
}
