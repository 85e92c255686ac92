import { isIP } from 'node:net';
import Provider, {
  type Adapter,
  type AdapterFactory,
  type AdapterPayload,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { ClientsRepository } from '../clients/clients.repository.js';
import type { GrantsService } from '../grants/grants.service.js';
import type { PayloadsRepository } from './payloads.repository.js';

export type Stores = {
  readonly payloads: PayloadsRepository;
  readonly clients: ClientsRepository;
  readonly grants: GrantsService;
};

/** Longer than any consent page stays open. */
const usualSeconds = 3_600;

/** Where oidc-provider keeps its state: PostgreSQL, for all replicas. */
export function providerAdapter(stores: Stores): AdapterFactory {
  return (model) => (model === 'Client' ? clientAdapter(stores) : payloadAdapter(stores, model));
}

function payloadAdapter({ payloads, grants }: Stores, model: string): Adapter {
  return {
    upsert: (id, payload, expiresIn = usualSeconds) => payloads.upsert(model, id, { payload, expiresIn }),
    find: (id) => payloads.find(model, id),
    findByUid: (uid) => payloads.findByUid(model, uid),
    findByUserCode: () => Promise.resolve(undefined),
    consume: async (id) => {
      if (await payloads.consume(model, id)) return;
      // Two used it at once: one of them is not the client.
      const grantId = (await payloads.find(model, id))?.grantId;
      if (grantId) await grants.revoke(grantId, 'reuse', null);
      throw new errors.InvalidGrant('it was used already');
    },
    destroy: async (id) => {
      // The library ends a grant where a code or refresh token comes twice, or where its client revokes it.
      if (model === 'Grant') await grants.revoke(id, isRevocation() ? 'client' : 'reuse', null);
      await payloads.destroy(model, id);
    },
    revokeByGrantId: (grantId) => payloads.destroyOfGrant(grantId),
  };
}

function clientAdapter({ clients }: Stores): Adapter {
  const unused = () => Promise.resolve(undefined);
  return {
    upsert: (id, payload: AdapterPayload) => clients.put(id, payload, networkOf(Provider.ctx?.ip)),
    find: (id) => clients.find(id),
    findByUid: unused,
    findByUserCode: unused,
    consume: unused,
    destroy: (id) => clients.delete(id),
    revokeByGrantId: unused,
  };
}

function isRevocation(): boolean {
  return (Provider.ctx as KoaContextWithOIDC | undefined)?.oidc?.route === 'revocation';
}

/** Who has one IPv6 address has 2^64 of them; an IPv4 address is one, however it is written. */
export function networkOf(address: string | undefined): string | null {
  if (address === undefined) return null;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(plain) === 6 ? groupsOf(plain).slice(0, 4).join(':') : plain;
}

/** All eight of an IPv6 address: `::` stands for those that are zero. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.replace(/%.*/, '').toLowerCase().split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const all = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return all.map((group) => group.replace(/^0+(?=.)/, ''));
}
