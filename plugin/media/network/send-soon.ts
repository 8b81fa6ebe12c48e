/** Sends what waits. Never throws. */
export interface Sender {
  flush(): void;
}

const waiting: Sender[] = [];

/**
 * Flushes at the end of this turn of the event loop, when all that has arrived by now is read: many packets in a row cost
 * the system less, and wake their receivers less often, than one between each two that are read.
 */
export function sendSoon(sender: Sender): void {
  if (waiting.push(sender) === 1) setImmediate(sendAll);
}

function sendAll(): void {
  for (const sender of waiting.splice(0)) sender.flush();
}
