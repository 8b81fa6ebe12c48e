import type { Timers } from '../call/call-ports.js';
import type {
  DialTarget,
  IncomingInvite,
  InviteRequest,
  MessagePort,
  OutgoingInvite,
  RegistrarAddress,
  Registration,
  RegistrationEvent,
  RegistrationPort,
  RegistrationRequest,
  SignallingEvent,
  SignallingPort,
  TextMessage,
  TextRequest,
} from '../call/ports.js';
import type { DialPolicy } from './addresses/dial-policy.js';
import { addressOf, parseDialString, requestUri } from './addresses/dial-string.js';
import { quote, userOf } from './addresses/name-addr.js';
import { Routing } from './addresses/routing.js';
import { Authenticator } from './drachtio/authenticator.js';
import { optionsHeaders } from './drachtio/capabilities.js';
import type { DrachtioConnection } from './drachtio/drachtio.js';
import { ReceivedInvite } from './drachtio/received-invite.js';
import type { ReceivedRequest } from './drachtio/received-request.js';
import type { Leg } from './in-call/leg.js';
import { readReplaces } from './in-call/referral.js';
import { isTooShort, minInterval } from './in-call/session-timer.js';
import { Invited } from './incoming.js';
import { Invitation } from './invite.js';
import { type LocalOptions, LocalService } from './registrar/local-service.js';
import { RegistrarSession } from './registration.js';
import type { SipContext } from './sip-context.js';
import { maxSentBytes, readText } from './text-message.js';

export interface SignallingOptions {
  /** Display name in From. */
  readonly fromName: string;
  /** Domain of numbers and names dialled without one. Default the caller's. */
  readonly dialDomain?: string;
  /** Whom clients may call. Default everybody. */
  readonly policy?: DialPolicy;
  /** Where clients register that do not say where: `host[:port][;transport=tcp]`. */
  readonly registrar?: string;
  /** Next hop of requests that begin something, in the same form. */
  readonly outboundProxy?: string;
  /** Makes this a registrar of its own. */
  readonly local?: LocalOptions;
  readonly timers?: Timers;
}

export const systemTimers: Timers = {
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

const badRequest = 400;
const notFound = 404;
const badExtension = 420;
const intervalTooSmall = 422;
const noSuchCall = 481;
const busyHere = 486;

/** Extensions that an INVITE may insist on. */
const extensions: ReadonlySet<string> = new Set(['100rel', 'timer', 'replaces']);

/** Calls through a drachtio server. */
export class DrachtioSignalling implements SignallingPort, RegistrationPort, MessagePort {
  readonly #connection: DrachtioConnection;
  readonly #options: SignallingOptions;
  readonly #context: SipContext;
  readonly #routing: Routing;
  readonly #local: LocalService | undefined;
  /** Registrations that are being taken back. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(connection: DrachtioConnection, options: SignallingOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#context = {
      connection,
      timers: options.timers ?? systemTimers,
      legs: new Map(),
      resolve: (uri, from) => this.resolve(uri, from),
      nextHop: (uri, from) => this.#nextHop(uri, from),
    };
    this.#routing = new Routing(options.outboundProxy);
    this.#local = options.local && new LocalService(this.#context, options.local);
    connection.onOutside('OPTIONS', (request) => request.respond(200, { headers: optionsHeaders }));
  }

  /** Hands every incoming call to `route`, which takes or rejects it. */
  onInvite(route: (invite: IncomingInvite) => void): void {
    this.#connection.onOutside('INVITE', (request) => this.#invited(request, route));
  }

  /** Hands every text outside of calls to `route`, with the user that it is for; false when there is no such user. */
  onMessage(route: (called: string, message: TextMessage) => boolean): void {
    this.#connection.onOutside('MESSAGE', (request) => {
      const text = readText(request);
      const contacts = this.#local?.contacts(request.uri) ?? [];
      const deliver = (called: string) => !('refusal' in text) && route(called, text);
      if ('refusal' in text) request.respond(text.refusal, { headers: text.headers });
      else if (contacts.length > 0) void this.#local?.message(request, contacts, deliver);
      else request.respond(deliver(userOf(request.uri)) ? 200 : notFound);
    });
  }

  resolve(dialled: string, from: string): DialTarget {
    if (!this.#connection.up) return { refusal: 'the SIP server cannot be reached; try again in a moment' };
    const { dialDomain = from.replace(/^sips?:(?:[^@]*@)?/, ''), policy } = this.#options;
    const target = parseDialString(dialled, { domain: dialDomain, tls: this.#connection.secureAddress !== undefined });
    if ('refusal' in target || policy === undefined || policy.allows(target.uri)) return target;
    return { refusal: `${target.uri} may not be called from here` };
  }

  home(domain: string | undefined): RegistrarAddress | undefined {
    const { registrar } = this.#options;
    const local = this.#local?.home(domain);
    if (registrar === undefined || (local && domain !== undefined)) return local;
    const [hostPort = ''] = registrar.split(';');
    return { domain: domain ?? hostPort, registrar: `sip:${registrar}`, local: false };
  }

  register(request: RegistrationRequest, listener: (event: RegistrationEvent) => void): Registration {
    const options = {
      ...{ connection: this.#connection, routing: this.#routing },
      isLocal: this.#local?.domains.isServer(request.registrar) ?? false,
    };
    const session = new RegistrarSession(options, request, listener);
    return {
      end: () => {
        const leaving = session.close().finally(() => this.#leaving.delete(leaving));
        this.#leaving.add(leaving);
      },
    };
  }

  /** Resolves when every registration that has ended is taken back, or cannot be. */
  async left(): Promise<void> {
    await Promise.all(this.#leaving);
  }

  /** Ends the calls between phones that have registered here. */
  async endLocalCalls(reason: string): Promise<void> {
    await this.#local?.end(reason);
  }

  invite(request: InviteRequest, listener: (event: SignallingEvent) => void): OutgoingInvite {
    return new Invitation(this.#context, request, this.#from(request.from), listener);
  }

  async sendMessage({ uri, from, text, credentials }: TextRequest): Promise<void> {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxSentBytes) throw new Error(`the text has ${bytes} bytes; at most ${maxSentBytes} are allowed`);
    const authenticator = new Authenticator(credentials);
    const target = requestUri(uri);
    for (;;) {
      const headers = {
        From: this.#from(from),
        To: addressOf(uri),
        'Content-Type': 'text/plain;charset=UTF-8',
        ...authenticator.headers('MESSAGE', target),
      };
      const options = { body: text, proxy: this.#nextHop(target, from) };
      const answer = await this.#connection.request('MESSAGE', target, headers, options);
      if (answer.status < 300) return;
      if (!authenticator.challenged(answer)) throw new Error(`${answer.status} ${answer.reason}`);
    }
  }

  #invited(request: ReceivedRequest, route: (invite: IncomingInvite) => void): void {
    const invite = ReceivedInvite.of(this.#connection, request);
    if (!invite) {
      request.respond(badRequest);
      return;
    }
    const unknown = request
      .header('require')
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== '' && !extensions.has(tag.toLowerCase()));
    if (unknown.length > 0) {
      request.respond(badExtension, { headers: { Unsupported: unknown.join(', ') } });
      return;
    }
    if (isTooShort(request.header('session-expires'))) {
      request.respond(intervalTooSmall, { headers: { 'Min-SE': String(minInterval) } });
      return;
    }
    const replaces = request.header('replaces');
    const contacts = this.#local?.contacts(request.uri) ?? [];
    if (replaces !== '') this.#replaced(replaces, invite);
    else if (contacts.length > 0) this.#local?.call(invite, contacts, route);
    else route(new Invited(this.#context, invite));
  }

  #nextHop(uri: string, from: string): string | undefined {
    if (this.#local?.domains.has(uri)) return this.#local.nextHop(uri);
    return this.#routing.nextHop(from);
  }

  /** RFC 3891 section 3. */
  #replaced(header: string, invite: ReceivedInvite): void {
    const named = readReplaces(header);
    if (!named) {
      invite.respond(badRequest);
      return;
    }
    const isNamed = ({ dialog: { identity } }: Leg) =>
      identity.callId === named.callId &&
      identity.localTag === named.localTag &&
      identity.remoteTag === named.remoteTag;
    const found = [...this.#context.legs].find(([leg]) => isNamed(leg));
    if (!found) {
      invite.respond(noSuchCall);
      return;
    }
    if (named.earlyOnly) {
      invite.respond(busyHere);
      return;
    }
    const [, tell] = found;
    tell({ type: 'replaced', invite: new Invited(this.#context, invite) });
  }

  #from(address: string): string {
    return `${quote(this.#options.fromName)} <${address}>`;
  }
}
