import type { MediaClock } from '../network/clock.js';

/** The promise, or an error after so many milliseconds. What comes later is for the caller to look after. */
export function within<T>(promise: Promise<T>, ms: number, clock: MediaClock, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new Error(`${what} within ${ms} ms`)));
    promise.then(resolve, reject).finally(cancel);
  });
}
