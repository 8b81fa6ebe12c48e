import { forgetSharedChunks } from '../chunk/chunk-writer.js';

/** Hands what is queued to its transport. Never throws. */
export interface Flushable {
  flush(): void;
}

/** They are many at once when one publishes to many, and a task for each would cost as much as the message. */
const waiting: Flushable[] = [];

/** In Node when all that has arrived by now is read. */
const soon: (task: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : (task) => void Promise.resolve().then(task);

/**
 * Flushes at the end of this turn of the event loop. What is sent in one turn goes together: the system does the same for
 * many sockets in a row, and wakes their readers less often, than between the reading of one and of the next.
 */
export function flushSoon(output: Flushable): void {
  if (waiting.push(output) === 1) soon(flushAll);
}

function flushAll(): void {
  forgetSharedChunks();
  for (const output of waiting.splice(0)) output.flush();
}
