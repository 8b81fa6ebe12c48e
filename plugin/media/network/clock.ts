/** The time the media path runs on; injected so that tests can move it. */
export interface MediaClock {
  /** Milliseconds since any fixed moment, with fractions; never goes back. */
  now(): number;
  /** Runs `fire` once after `ms` milliseconds unless the returned function is called before. */
  after(ms: number, fire: () => void): () => void;
}

export const systemClock: MediaClock = {
  now: () => performance.now(),
  after: (ms, fire) => {
    // Where the process was held up, what has arrived meanwhile is read first: it is not late.
    let read: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      read = setImmediate(fire);
    }, ms);
    return () => {
      clearTimeout(timer);
      clearImmediate(read);
    };
  },
};
