import { Role } from '@switchyard/contracts';
import { z } from 'zod';
import { DisplayName } from '../http/fields.js';

const Url = z.url({ protocol: /^https?$/ }).max(2_048);
/** Issuer and audience stand together in an index, whose entries have a limit. */
const longestInIndex = 1_024;
/** OpenID Connect Discovery, section 3. */
const Issuer = Url.max(longestInIndex)
  .regex(/^[!-~]*$/, 'must be ASCII')
  .refine((url) => !/[?#]/.test(url), 'must have neither query nor fragment');
const Audience = z
  .string()
  .min(1)
  .max(longestInIndex)
  .regex(/^[ -~]*$/, 'must be printable ASCII');
const Text = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');
/** RFC 6749, section 3.3. */
const Scope = z
  .string()
  .max(256)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is not a scope');
const Roles = z.array(Role).max(64);

const settings = {
  name: DisplayName,
  issuer: Issuer.describe('As it stands in tokens, to the letter.'),
  audience: Audience.describe('What tokens for this organization have in `aud`. Taken once per issuer.'),
  client_id: Text.describe('The public client as which users sign in here.'),
  jwks_uri: Url.nullable().describe('Null: discovered at the issuer.'),
  scopes: z.array(Scope).max(64).describe('Asked for at sign-in.'),
  roles_claim: Text.describe('The claim that holds the roles: its name, or a dotted path to it.'),
  admin_roles: Roles.describe('Users with one of these may use the admin API.'),
  auditor_roles: Roles.describe('Users with one of these may read the audit log.'),
  enabled: z.boolean(),
};

export const CreateIdentityProvider = z
  .strictObject({
    ...settings,
    name: settings.name.optional().describe('Defaults to the issuer’s host.'),
    jwks_uri: settings.jwks_uri.default(null),
    scopes: settings.scopes.default(['openid', 'profile', 'email']),
    roles_claim: settings.roles_claim.default('roles'),
    admin_roles: settings.admin_roles.default(['admin']),
    auditor_roles: settings.auditor_roles.default(['auditor']),
    enabled: settings.enabled.default(true),
  })
  .meta({ id: 'CreateIdentityProvider' });
export type CreateIdentityProviderBody = z.output<typeof CreateIdentityProvider>;

export const UpdateIdentityProvider = z
  .strictObject(z.object(settings).partial().shape)
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateIdentityProvider' });
export type UpdateIdentityProviderBody = z.output<typeof UpdateIdentityProvider>;

export const IdentityProviderAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    ...settings,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'IdentityProvider' });
export type IdentityProviderAnswerBody = z.output<typeof IdentityProviderAnswer>;
