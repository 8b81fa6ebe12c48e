/** Time for time-outs and pings; given by the program so that tests need not wait. */
export interface Clock {
  /** Whole milliseconds from any start, never going back. */
  now(): number;
  /** @returns a handle for clearTimeout */
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(handle: unknown): void;
}

export const systemClock: Clock = {
  now: () => Math.trunc(performance.now()),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle as Parameters<typeof clearTimeout>[0]),
};
