import type { DialTarget, InviteRequest, OutgoingInvite, SignallingEvent, SignallingPort } from '../call/ports.js';
import { addressOf, parseDialString, requestUri } from './dial-string.js';
import type { DrachtioConnection } from './drachtio.js';
import { Invitation } from './invite.js';

export interface SignallingOptions {
  /** Display name in From. */
  readonly fromName: string;
}

/** Calls through a drachtio server. */
export class DrachtioSignalling implements SignallingPort {
  readonly #connection: DrachtioConnection;
  readonly #options: SignallingOptions;

  constructor(connection: DrachtioConnection, options: SignallingOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  resolve(dialled: string): DialTarget {
    if (!this.#connection.up) return { refusal: 'the SIP server cannot be reached; try again in a moment' };
    return parseDialString(dialled);
  }

  invite(request: InviteRequest, listener: (event: SignallingEvent) => void): OutgoingInvite {
    const headers = {
      from: `${displayName(this.#options.fromName)} <${request.from}>`,
      to: addressOf(request.uri),
      requestUri: requestUri(request.uri),
    };
    return new Invitation(this.#connection, request, headers, listener);
  }
}

/** A quoted-string (RFC 3261 section 25.1). */
function displayName(name: string): string {
  return `"${name.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}
