import type { CallerContext } from '@switchyard/contracts';

/** Who a request comes from, for as long as it or a stream of it is open. */
export type Principal = {
  /** Equal for two requests exactly if the same key (or nobody) sent them. */
  readonly id: string;
  readonly caller: CallerContext;
};

export function principalOf(caller: CallerContext): Principal {
  return { id: idOf(caller), caller };
}

function idOf(caller: CallerContext): string {
  if (caller.virtualKeyId !== null) return `key:${caller.virtualKeyId}`;
  return caller.userId !== null ? `user:${caller.orgId}:${caller.userId}` : `anonymous:${caller.orgId}`;
}
