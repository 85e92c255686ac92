/** What a link tells the bus. */
export type LinkEvents = {
  /** A frame came in on a channel that was asked for. */
  frame(channel: string, text: string): void;
  /** Connected, and listening on all channels that were asked for. */
  up(): void;
  /** The connection is lost; the link tries again by itself. */
  down(): void;
  error(error: unknown): void;
};

/** One of the two ways messages travel between processes. Heals itself. */
export interface BusLink {
  open(events: LinkEvents): void;
  /** Resolves when frames of the channel come in, or at once while the link is down. */
  listen(channel: string): Promise<void>;
  unlisten(channel: string): Promise<void>;
  /** Sends now or rejects. */
  send(channel: string, text: string): Promise<void>;
  /** Drops the connection that listens, so that it is made anew. */
  reset(): void;
  close(): Promise<void>;
}
