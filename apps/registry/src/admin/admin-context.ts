import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Who acts: whoever holds an admin key, which is nobody in particular, or a user with an admin's role. */
export type Actor =
  { readonly kind: 'admin'; readonly id: null } | { readonly kind: 'user'; readonly id: string };

/** Whose admin key or token came with the request. Everything that a route touches belongs to this organization. */
export type AdminContext = {
  readonly orgId: string;
  readonly orgSlug: string;
  /** The key of `REGISTRY_ADMIN_KEY`, which alone manages organizations and global integrations. Never a user. */
  readonly isOperator: boolean;
  readonly actor: Actor;
};

/** What the guard leaves on a request. */
export type WithAdmin = { admin?: AdminContext };

/** The admin of the request, as the guard found it. */
export const Admin = createParamDecorator((_data: unknown, context: ExecutionContext): AdminContext => {
  const { admin } = context.switchToHttp().getRequest<FastifyRequest & WithAdmin>();
  if (!admin) throw new Error('a route without its guard');
  return admin;
});
