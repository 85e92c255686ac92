import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';

/** The query of a list without filters. Unknown parameters are refused by name. */
export const ListQuery = z.strictObject(PageQuery.shape);
