import type { UpstreamDescription, UpstreamFeatures, WireTool } from '@switchyard/contracts';

export type Listed = {
  readonly tools: readonly WireTool[];
  readonly upstream: UpstreamDescription;
  /** Absent where the other side knows of none. */
  readonly features?: UpstreamFeatures;
};
export type ListOptions = {
  readonly timeoutMs: number;
  readonly maxTools: number;
  readonly signal?: AbortSignal;
};

/** A way to an upstream: a session of our own, or the queue of the worker that owns its child. Methods throw `AttemptError`. */
export interface UpstreamLink {
  list(options: ListOptions): Promise<Listed>;
  ping(timeoutMs: number): Promise<void>;
  /** A list, of tools, prompts or resources, may have changed. */
  onListsChanged(listener: () => void): void;
  onResourceUpdated(listener: (uri: string) => void): void;
  /** Subscribes to these resources and to no others, where the upstream can. Never rejects. */
  subscribe(uris: readonly string[]): Promise<void>;
  /** Called once when the link has ended by itself. */
  onClose(listener: () => void): void;
  close(): Promise<void>;
}
