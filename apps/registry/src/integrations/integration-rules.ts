import type { FieldError } from '@switchyard/service-kit';
import { oauthRules } from './oauth-rules.js';
import type { IntegrationEntity } from './integration.entity.js';

/** What rules between fields look at. */
export type Judged = Pick<
  IntegrationEntity,
  | 'transport'
  | 'authMode'
  | 'serviceUserId'
  | 'ownerUserId'
  | 'headerNames'
  | 'userHeaderNames'
  | 'envNames'
  | 'scope'
  | 'oauth'
  | 'hasClientSecret'
>;

export type Rule = { path: string; message: string; isBroken(integration: Judged): boolean };

const isStdio = ({ transport }: Judged) => transport.type === 'stdio';

/** As the token broker has it, which refuses values for these. */
const reservedHeader =
  /^(accept|connection|content-.*|expect|host|keep-alive|last-event-id|mcp-.*|proxy-connection|te|trailer|traceparent|tracestate|transfer-encoding|upgrade)$/i;

const rules: readonly Rule[] = [
  {
    path: 'owner_user_id',
    message: 'names whose integration it is, and goes with scope user alone',
    isBroken: ({ scope, ownerUserId }) => (scope === 'user') !== (ownerUserId !== null),
  },
  {
    path: 'service_user_id',
    message: 'has no use here: unattended callers never see the integration of a single user',
    isBroken: ({ scope, serviceUserId }) => scope === 'user' && serviceUserId !== null,
  },
  {
    path: 'auth_mode',
    message: 'a stdio server has auth_mode none or headers (as its environment)',
    isBroken: (one) => isStdio(one) && one.authMode !== 'none' && one.authMode !== 'headers',
  },
  {
    path: 'headers',
    message: 'a stdio server has no headers; give its secrets as env',
    isBroken: (one) => isStdio(one) && one.headerNames.length > 0,
  },
  {
    path: 'env',
    message: 'only a stdio server has an environment; give secrets as headers',
    isBroken: (one) => !isStdio(one) && one.envNames.length > 0,
  },
  {
    path: 'headers',
    message: 'need auth_mode headers',
    isBroken: (one) => one.authMode !== 'headers' && one.headerNames.length > 0,
  },
  {
    path: 'headers',
    message: 'auth_mode headers needs at least one value: headers of an HTTP server, env of a stdio server',
    isBroken: (one) =>
      one.authMode === 'headers' &&
      one.headerNames.length + one.envNames.length + one.userHeaderNames.length === 0,
  },
  {
    path: 'user_header_names',
    message: 'need auth_mode headers and an HTTP server',
    isBroken: (one) => (isStdio(one) || one.authMode !== 'headers') && one.userHeaderNames.length > 0,
  },
  {
    path: 'user_header_names',
    message: 'name a header that has a value for everybody, or one that the platform sets',
    isBroken: ({ headerNames, userHeaderNames }) =>
      userHeaderNames.some(
        (name) =>
          reservedHeader.test(name) ||
          headerNames.some((other) => other.toLowerCase() === name.toLowerCase()),
      ),
  },
  {
    path: 'service_user_id',
    message: 'is only for auth_mode authorization_code',
    isBroken: ({ authMode, serviceUserId }) => serviceUserId !== null && authMode !== 'authorization_code',
  },
  ...oauthRules,
];

/** What the fields of an integration, each right by itself, get wrong together. */
export function brokenRules(integration: Judged): FieldError[] {
  return rules.filter((rule) => rule.isBroken(integration)).map(({ path, message }) => ({ path, message }));
}

const secretParameter = /key|token|secret|password|signature|auth/i;

/** What an admin should know about an integration that is accepted. */
export function warningsFor({ transport, toolsToExecute, toolsToSkip }: IntegrationEntity): string[] {
  const warnings: string[] = [];
  if (
    transport.type !== 'stdio' &&
    [...new URL(transport.url).searchParams.keys()].some((name) => secretParameter.test(name))
  ) {
    warnings.push('The URL is stored as it is and shown to admins: give secrets as headers instead.');
  }
  if (toolsToExecute && toolsToSkip?.length)
    warnings.push('tools_to_skip is ignored, because tools_to_execute is set.');
  return warnings;
}
