import type { IntegrationRecord, ToolOverride, ToolRecord } from './records.js';
import { toolSelection } from './tool-selection.js';

/** Why a discovered tool is offered to nobody. */
export type HiddenBecause =
  | 'disabled_in_catalog'
  | 'disabled_by_admin'
  | 'not_in_tools_to_execute'
  | 'in_tools_to_skip'
  | 'not_approved';

type Judged = Pick<ToolRecord, 'name' | 'enabled' | 'pinState'>;

/**
 * Compiles the layers discovered ∩ enabled ∩ client config ∩ pins of one integration into a function that says why a tool is
 * hidden, or `null` if it is not. An admin can switch off what the catalog has on, but not bring back what the vendor
 * took away; `tools_to_skip` is looked at only where `tools_to_execute` is absent. A tool that waits for approval is
 * one that nothing else hides.
 */
export function toolVisibility(
  integration: Pick<IntegrationRecord, 'toolOverrides' | 'toolsToExecute' | 'toolsToSkip' | 'pinned'>,
): (tool: Judged, outwardName: string) => HiddenBecause | null {
  const isExecutable = toolSelection(integration.toolsToExecute);
  const isSkipped = toolSelection(integration.toolsToExecute ? [] : (integration.toolsToSkip ?? []));
  return (tool, outwardName) => {
    if (!tool.enabled) return 'disabled_in_catalog';
    if (overrideOf(integration, tool.name)?.enabled === false) return 'disabled_by_admin';
    if (!isExecutable(tool.name, outwardName)) return 'not_in_tools_to_execute';
    if (isSkipped(tool.name, outwardName)) return 'in_tools_to_skip';
    return integration.pinned && tool.pinState !== 'approved' ? 'not_approved' : null;
  };
}

/** What an admin decided for the tool, if anything. Vendors choose tool names, so `constructor` is one like any other. */
export function overrideOf(
  integration: Pick<IntegrationRecord, 'toolOverrides'>,
  toolName: string,
): ToolOverride | undefined {
  return Object.hasOwn(integration.toolOverrides, toolName) ? integration.toolOverrides[toolName] : undefined;
}
