import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { SubjectTokenSealer } from '@switchyard/identity';
import type { UserToken } from '../auth/principal.js';

/** Seals users' tokens to the token broker, for calls of integrations that exchange them. */
@Injectable()
export class SubjectTokens {
  readonly #sealer: SubjectTokenSealer;

  constructor(sql: Sql) {
    this.#sealer = new SubjectTokenSealer({ query: (text, params) => sql.query(text, params) });
  }

  /** Throws `dependency_unavailable` while the broker has no key. */
  async seal(token: UserToken): Promise<string> {
    return this.#sealer.seal(token);
  }
}
