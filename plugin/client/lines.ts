import type { IncomingInvite, TextMessage } from '../call/ports.js';
import type { Line } from './line.js';

const notFound = 404;

/** The lines of all connected clients, by the user part of their addresses. */
export class Lines {
  readonly #byUser = new Map<string, Line>();

  add(line: Line): void {
    this.#byUser.set(line.user, line);
  }

  delete(line: Line): void {
    this.#byUser.delete(line.user);
  }

  /** Hands an incoming call to the line that it is for; false when there is none, and the caller was told so. */
  route(invite: IncomingInvite): boolean {
    const line = this.#byUser.get(invite.caller.called);
    if (line) line.incoming(invite);
    else invite.reject(notFound);
    return line !== undefined;
  }

  /** Hands a text to the line that it is for; false when there is none. */
  deliver(called: string, message: TextMessage): boolean {
    const line = this.#byUser.get(called);
    line?.message(message);
    return line !== undefined;
  }
}
