import { z } from 'zod';
import { DisplayName, Slug } from '../http/fields.js';

export const CreateOrganization = z
  .strictObject({ slug: Slug, name: DisplayName })
  .meta({ id: 'CreateOrganization' });
export type CreateOrganizationBody = z.output<typeof CreateOrganization>;

const organization = { id: z.uuid(), slug: z.string(), name: z.string(), created_at: z.iso.datetime() };

export const OrganizationAnswer = z.strictObject(organization).meta({ id: 'Organization' });
export type OrganizationAnswerBody = z.output<typeof OrganizationAnswer>;

export const AdminKeyAnswer = z
  .strictObject({ ...organization, admin_key: z.string().describe('`ak_…`; shown this once.') })
  .meta({ id: 'OrganizationWithAdminKey' });
export type AdminKeyAnswerBody = z.output<typeof AdminKeyAnswer>;
