import { randomUUID } from 'node:crypto';
import type {
  DialTarget,
  IncomingInvite,
  InviteRequest,
  OutgoingInvite,
  Registration,
  RegistrationEvent,
  RegistrationPort,
  RegistrationRequest,
  SignallingEvent,
  SignallingPort,
} from '../call/ports.js';
import type { DialPolicy } from './dial-policy.js';
import { addressOf, headersOf, parseDialString, requestUri } from './dial-string.js';
import type { DrachtioConnection } from './drachtio.js';
import { Invited } from './incoming.js';
import { Invitation } from './invite.js';
import { RegistrarSession } from './registration.js';

export interface SignallingOptions {
  /** Display name in From. */
  readonly fromName: string;
  /** Domain of numbers and names dialled without one. Default the caller's. */
  readonly dialDomain?: string;
  /** Whom clients may call. Default everybody. */
  readonly policy?: DialPolicy;
}

/** Calls through a drachtio server. */
export class DrachtioSignalling implements SignallingPort, RegistrationPort {
  readonly #connection: DrachtioConnection;
  readonly #options: SignallingOptions;

  constructor(connection: DrachtioConnection, options: SignallingOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Hands every incoming call to `route`, which takes or rejects it. */
  onInvite(route: (invite: IncomingInvite) => void): void {
    this.#connection.onInvite((invite) => route(new Invited(invite, this.#connection, randomUUID())));
  }

  resolve(dialled: string, from: string): DialTarget {
    if (!this.#connection.up) return { refusal: 'the SIP server cannot be reached; try again in a moment' };
    const { dialDomain = from.replace(/^sips?:(?:[^@]*@)?/, ''), policy } = this.#options;
    const target = parseDialString(dialled, { domain: dialDomain, tls: this.#connection.tls });
    if ('refusal' in target || policy === undefined || policy.allows(target.uri)) return target;
    return { refusal: `${target.uri} may not be called from here` };
  }

  register(request: RegistrationRequest, listener: (event: RegistrationEvent) => void): Registration {
    return new RegistrarSession(this.#connection, request, listener);
  }

  invite(request: InviteRequest, listener: (event: SignallingEvent) => void): OutgoingInvite {
    const headers = {
      from: `${displayName(this.#options.fromName)} <${request.from}>`,
      to: addressOf(request.uri),
      requestUri: requestUri(request.uri),
      more: headersOf(request.uri),
    };
    return new Invitation(this.#connection, request, headers, listener);
  }
}

/** A quoted-string (RFC 3261 section 25.1). */
function displayName(name: string): string {
  return `"${name.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}
