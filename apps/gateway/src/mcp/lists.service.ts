import { Injectable } from '@nestjs/common';
import {
  resolvePrompts,
  resolveResources,
  resolveResourceTemplates,
  resolveTools,
  SnapshotStore,
  visibleInstructions,
} from '@switchyard/access';
import { SearchMode } from '../search/search-mode.service.js';
import { joinInstructions } from './server-instructions.js';
import { type ToolList, toolList } from './tool-list.js';
import type { CallFrame } from './upstream-call.js';

type Viewer = Pick<CallFrame, 'caller' | 'filter'>;

/** What a caller is listed: all in one page, sorted, the same on every replica. */
@Injectable()
export class Lists {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly searchMode: SearchMode,
  ) {}

  tools({ caller, filter }: Viewer): ToolList {
    if (this.searchMode.isOn(caller)) return { tools: [...this.searchMode.list()] };
    return toolList(resolveTools(this.snapshots.current(), caller, filter));
  }

  prompts({ caller, filter }: Viewer) {
    return { prompts: wires(resolvePrompts(this.snapshots.current(), caller, filter)) };
  }

  resources({ caller, filter }: Viewer) {
    return { resources: wires(resolveResources(this.snapshots.current(), caller, filter)) };
  }

  resourceTemplates({ caller, filter }: Viewer) {
    const templates = resolveResourceTemplates(this.snapshots.current(), caller, filter);
    return { resourceTemplates: wires(templates) };
  }

  /** Of the servers of which the caller sees anything. */
  instructions({ caller, filter }: Viewer): string | undefined {
    const snapshot = this.snapshots.current();
    const servers = visibleInstructions(snapshot, caller);
    if (!filter) return joinInstructions(servers);
    const seen = [
      ...resolveTools(snapshot, caller, filter),
      ...resolvePrompts(snapshot, caller, filter),
      ...resolveResources(snapshot, caller, filter),
      ...resolveResourceTemplates(snapshot, caller, filter),
    ];
    const slugs = new Set(seen.map(({ integration }) => integration.slug));
    return joinInstructions(servers.filter(({ slug }) => slugs.has(slug)));
  }
}

function wires<W>(resolved: readonly { readonly wire: W }[]): W[] {
  return resolved.map(({ wire }) => wire);
}
