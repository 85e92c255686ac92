import { PlatformError } from '@switchyard/contracts';
import type { UserRecord, UserRecordAnswer } from '@switchyard/contracts';
import type { VerifiedPerson } from './trusted-issuer.js';

const keptMs = 60_000;
const mostKept = 10_000;

type Known = { readonly userId: string; readonly active: boolean };
type Kept = { readonly known: Known; readonly until: number };

export type UserDirectoryOptions = {
  /** Through the queue `user-records`, as a rule. */
  ask: (record: UserRecord) => Promise<UserRecordAnswer>;
  now?: () => number;
};

/** Which user of the organization a verified person is. Keeps each answer a minute. */
export class UserDirectory {
  private readonly kept = new Map<string, Kept>();
  private readonly asking = new Map<string, Promise<Known>>();
  private readonly ask: UserDirectoryOptions['ask'];
  private readonly now: () => number;
  private forgotten = 0;

  constructor({ ask, now = Date.now }: UserDirectoryOptions) {
    this.ask = ask;
    this.now = now;
  }

  /** Throws `user_inactive`, and what the one who is asked refuses or fails with. */
  async userOf(person: VerifiedPerson): Promise<{ userId: string }> {
    const { userId, active } = await this.knownOf(person);
    if (!active) throw new PlatformError('user_inactive');
    return { userId };
  }

  /** After a change of the user: the next question is asked anew, also one that is on its way now. */
  forget(userId: string): void {
    this.forgotten++;
    for (const [name, { known }] of this.kept) if (known.userId === userId) this.kept.delete(name);
    this.asking.clear();
  }

  private async knownOf(person: VerifiedPerson): Promise<Known> {
    const name = JSON.stringify([person.orgId, person.issuer, person.subject, person.roles]);
    const kept = this.kept.get(name);
    if (kept && kept.until > this.now()) return kept.known;
    const asking = this.asking.get(name) ?? this.askAnew(name, person);
    this.asking.set(name, asking);
    return asking.finally(() => {
      if (this.asking.get(name) === asking) this.asking.delete(name);
    });
  }

  private async askAnew(name: string, person: VerifiedPerson): Promise<Known> {
    const { forgotten } = this;
    const answer = await this.ask(recordOf(person));
    if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
    const known = { userId: answer.userId, active: answer.active };
    if (forgotten === this.forgotten) this.keep(name, known);
    return known;
  }

  /** The oldest goes when there are too many. */
  private keep(name: string, known: Known): void {
    this.kept.delete(name);
    const [oldest] = this.kept.size >= mostKept ? this.kept.keys() : [];
    if (oldest !== undefined) this.kept.delete(oldest);
    this.kept.set(name, { known, until: this.now() + keptMs });
  }
}

function recordOf(person: VerifiedPerson): UserRecord {
  const { orgId, issuer, subject, username, email, displayName, roles } = person;
  return { v: 1, orgId, issuer, subject, username, email, displayName, roles };
}
