import type { UpstreamDescription, WireTool } from '@switchyard/contracts';

export type Listed = { readonly tools: readonly WireTool[]; readonly upstream: UpstreamDescription };
export type ListOptions = {
  readonly timeoutMs: number;
  readonly maxTools: number;
  readonly signal?: AbortSignal;
};

/** A way to an upstream: a session of our own, or the queue of the worker that owns its child. Methods throw `AttemptError`. */
export interface UpstreamLink {
  list(options: ListOptions): Promise<Listed>;
  ping(timeoutMs: number): Promise<void>;
  onToolsChanged(listener: () => void): void;
  /** Called once when the link has ended by itself. */
  onClose(listener: () => void): void;
  close(): Promise<void>;
}
