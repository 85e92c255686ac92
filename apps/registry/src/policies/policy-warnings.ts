import type { McpConfig } from '../mcp-configs/mcp-config.schemas.js';
import type { PolicyEntity } from './policy.entity.js';

type Said = Pick<PolicyEntity, 'roles' | 'effect' | 'matchers' | 'mcpConfigs' | 'groupIds'>;

/** What is valid in a policy and yet hardly meant: that it speaks to nobody or of nothing, or asks for no claim that is one. */
export function policyWarnings({ roles, effect, matchers, mcpConfigs, groupIds }: Said): string[] {
  const warnings: string[] = [];
  if (roles?.length === 0)
    warnings.push('roles is empty: the policy speaks to nobody. Null is every signed-in user.');
  if (groupIds.length === 0 && !mcpConfigs.some(speaksOfSomething))
    warnings.push(`mcp_configs and group_ids name no tools: the policy ${verbs[effect]} nothing.`);
  const odd = matchers.map(({ path }) => path).filter((path) => /^\$|[[\]]/.test(path));
  for (const path of new Set(odd))
    warnings.push(
      `The path "${path}" is read as names with dots between them, without $ and without places in a list.`,
    );
  return warnings;
}

const verbs = { allow: 'allows', deny: 'denies' } as const;

function speaksOfSomething({ tools_to_execute: tools, prompts, resources }: McpConfig): boolean {
  return tools?.length !== 0 || prompts === true || resources === true;
}
