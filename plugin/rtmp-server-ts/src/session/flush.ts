import { forgetSharedChunks } from '../chunk/chunk-writer.js';

/** Hands what is queued to its transport. Never throws. */
export interface Flushable {
  flush(): void;
}

/** They are many at once when one publishes to many, and a task for each would cost as much as the message. */
const waiting: Flushable[] = [];
/** What is chained to it runs at the end of this turn of the event loop; queueMicrotask() of Node would make an async resource for it. */
const now = Promise.resolve();

/** Flushes at the end of this turn of the event loop, so that all that is sent in one turn goes together. */
export function flushSoon(output: Flushable): void {
  if (waiting.push(output) === 1) void now.then(flushAll);
}

function flushAll(): void {
  forgetSharedChunks();
  for (const output of waiting.splice(0)) output.flush();
}
