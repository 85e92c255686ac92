import {
  type RequestFilter,
  type ResolvedTool,
  resolvePrompts,
  resolveResources,
  resolveResourceTemplates,
  resolveTools,
  type Snapshot,
} from '@switchyard/access';
import type { CallerContext } from '@switchyard/contracts';
import { isSameList } from './tool-list.js';

/** The lists of which clients hear that they changed; resource templates count as resources. */
export type ListKind = 'tools' | 'prompts' | 'resources';

/** Absent: nobody wants to hear of it. */
export type Lists = {
  readonly tools?: readonly ResolvedTool[];
  readonly prompts?: readonly Listed[];
  readonly resources?: readonly Listed[];
};

type Listed = { readonly wire: object };
type View = {
  readonly caller: CallerContext;
  readonly filter: RequestFilter | undefined;
  readonly kinds: readonly ListKind[];
};

/** What the caller is listed now. */
export function listsOf(snapshot: Snapshot, { caller, filter, kinds }: View): Lists {
  return {
    ...(kinds.includes('tools') && { tools: resolveTools(snapshot, caller, filter) }),
    ...(kinds.includes('prompts') && { prompts: resolvePrompts(snapshot, caller, filter) }),
    ...(kinds.includes('resources') && {
      resources: [
        ...resolveResources(snapshot, caller, filter),
        ...resolveResourceTemplates(snapshot, caller, filter),
      ],
    }),
  };
}

/** Which of the lists a client would see differ. */
export function changedLists(before: Lists, after: Lists): ListKind[] {
  const changed: ListKind[] = [];
  if (after.tools && !isSameList(before.tools ?? [], after.tools)) changed.push('tools');
  if (after.prompts && !isSameWire(before.prompts ?? [], after.prompts)) changed.push('prompts');
  if (after.resources && !isSameWire(before.resources ?? [], after.resources)) changed.push('resources');
  return changed;
}

function isSameWire(one: readonly Listed[], other: readonly Listed[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((item, at) => isSameItem(item, other[at]));
}

function isSameItem(one: Listed, other: Listed | undefined): boolean {
  return one === other || JSON.stringify(one.wire) === JSON.stringify(other?.wire);
}
