import { z } from 'zod';
import { DisplayName, RateLimit, Slug } from '../http/fields.js';

export const CreateOrganization = z
  .strictObject({ slug: Slug, name: DisplayName })
  .meta({ id: 'CreateOrganization' });
export type CreateOrganizationBody = z.output<typeof CreateOrganization>;

const UserRateLimit = RateLimit.nullable().describe(
  'Calls of one user, at every door; one over it is refused with the time to wait. Null: no limit.',
);

export const UpdateOrganization = z
  .strictObject({ name: DisplayName.optional(), user_rate_limit: UserRateLimit.optional() })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateOrganization' });
export type UpdateOrganizationBody = z.output<typeof UpdateOrganization>;

const organization = {
  id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  user_rate_limit: UserRateLimit,
  created_at: z.iso.datetime(),
};

export const OrganizationAnswer = z.strictObject(organization).meta({ id: 'Organization' });
export type OrganizationAnswerBody = z.output<typeof OrganizationAnswer>;

export const AdminKeyAnswer = z
  .strictObject({ ...organization, admin_key: z.string().describe('`ak_…`; shown this once.') })
  .meta({ id: 'OrganizationWithAdminKey' });
export type AdminKeyAnswerBody = z.output<typeof AdminKeyAnswer>;
