export type ProgressListener = (progress: { progress: number; total?: number; message?: string }) => void;

/** Lets only growing progress through, as the specification demands of senders and some do not heed. */
export function monotone(listener: ProgressListener): (params: Record<string, unknown>) => void {
  let last = -Infinity;
  return ({ progress, total, message }) => {
    if (typeof progress !== 'number' || !(progress > last)) return;
    last = progress;
    listener({
      progress,
      ...(typeof total === 'number' && { total }),
      ...(typeof message === 'string' && { message }),
    });
  };
}
