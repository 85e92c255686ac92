import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { queues, topics } from '@switchyard/contracts';
import { TokenVerifier, UserDirectory, type VerifiedPerson } from '@switchyard/identity';
import { QueueClient } from '@switchyard/queue';
import { VendorsService } from '../vendors/vendors.service.js';
import { type IdentityProvider, IdentityProvidersRepository } from './identity-providers.repository.js';

const keptMs = 2_000;
const answerWithinMs = 8_000;

/** A verified person who is a user of the organization. */
export type SignedInPerson = { readonly person: VerifiedPerson; readonly userId: string };

/** Who somebody is by the word of an identity provider that the organization trusts. */
@Injectable()
export class IdentityService implements OnApplicationBootstrap {
  readonly #verifier: TokenVerifier;
  readonly #directory: UserDirectory;
  #providers: readonly IdentityProvider[] = [];
  #loadedAt = 0;

  constructor(
    private readonly rows: IdentityProvidersRepository,
    private readonly queue: QueueClient,
    vendors: VendorsService,
  ) {
    this.#verifier = new TokenVerifier({ issuers: () => this.#providers, fetch: vendors.fetch });
    this.#directory = new UserDirectory({
      ask: (record) => queue.request(queues.userRecords, record, { timeoutMs: answerWithinMs }),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.subscribe(topics.registryChanged, ({ entity, id }) => {
      if (entity === 'user') this.#directory.forget(id);
      if (entity === 'identity_provider') this.#loadedAt = 0;
    });
  }

  /** The providers that are enabled now, but for two seconds. */
  async providers(): Promise<readonly IdentityProvider[]> {
    if (Date.now() - this.#loadedAt < keptMs) return this.#providers;
    const loadedAt = Date.now();
    this.#providers = await this.rows.list();
    this.#loadedAt = loadedAt;
    return this.#providers;
  }

  /** Throws as `TokenVerifier` does. */
  async verify(jwt: string): Promise<VerifiedPerson> {
    await this.providers();
    return this.#verifier.verify(jwt);
  }

  /** Throws `user_inactive`, and `dependency_unavailable` while the registry does not answer. */
  async userOf(person: VerifiedPerson): Promise<SignedInPerson> {
    const { userId } = await this.#directory.userOf(person);
    return { person, userId };
  }

  async signedIn(jwt: string): Promise<SignedInPerson> {
    return this.userOf(await this.verify(jwt));
  }
}
