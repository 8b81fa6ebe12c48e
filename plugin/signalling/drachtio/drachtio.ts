import { EventEmitter } from 'node:events';
import { type HostPort, leadsTo, serverAddresses, sipPort } from '../addresses/host-port.js';
import { allow } from './capabilities.js';
import { Login } from './login.js';
import { Loopback } from './loopback.js';
import { inviteMediaServer, type MediaServerInvite } from './media-server-invite.js';
import { checkSize } from './message-size.js';
import { asError, type ReceivedRequest, receivedRequest } from './received-request.js';
import { asAnswer, type SipAnswer } from './sip-answer.js';
import type {
  Acknowledge,
  Responder,
  SentRequest,
  SrfClient,
  SrfDialog,
  ReceivedRequest as SrfRequest,
  SrfRequestOptions,
} from './srf.js';

export interface DrachtioOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Whether requests to the server's own address are handed back here: a drachtio server refuses to send them. */
  readonly loopback?: boolean;
  /** Milliseconds between two looks whether the server still answers, and that it has to answer. */
  readonly pingMs?: number;
}

interface DrachtioEvents {
  /** Logged in; carries the server's own SIP addresses, e.g. `udp/127.0.0.1:5060`. */
  up: [hostports: readonly string[]];
  /** The connection was lost, or an attempt at it failed. */
  down: [reason: string];
}

/** Sends the ACK of an answer. Resolves when it has gone, or cannot go. */
export type Confirm = (options?: { readonly body: string }) => Promise<void>;

/** Milliseconds before the first new attempt after a failure; doubled by each that fails too. */
const firstRetryMs = 250;
const longestRetryMs = 5_000;

const badRequest = 400;
const notFound = 404;
const methodNotAllowed = 405;
const noSuchDialog = 481;

/** The connection to a drachtio server, made anew whenever it is lost. */
export class DrachtioConnection extends EventEmitter<DrachtioEvents> {
  /** Who takes the requests of each dialog, by the server's name of it. */
  readonly dialogs = new Map<string, (request: ReceivedRequest) => void>();
  readonly #options: DrachtioOptions;
  /** Who takes the requests outside dialogs, by method. */
  readonly #outside = new Map<string, (request: ReceivedRequest) => void>();
  /** The login that works now; each new connection is a new one. */
  #login: SrfClient | undefined;
  #attempted: Login | undefined;
  #addresses: readonly string[] = [];
  #servers: readonly HostPort[] = [];
  readonly #loopback: Loopback | undefined;
  #retryMs = firstRetryMs;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DrachtioOptions) {
    super();
    // Every call in progress listens for `down`.
    this.setMaxListeners(0);
    this.#options = options;
    if (options.loopback) this.#loopback = new Loopback((request, responder) => this.#receive(request, responder));
  }

  get up(): boolean {
    return this.#login !== undefined;
  }

  /** The server's own SIP addresses, e.g. `udp/127.0.0.1:5060`; those of the last login. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** The server's address for SIP over TLS, `host:port`, if it has one. */
  get secureAddress(): string | undefined {
    return this.#addresses.find((address) => address.startsWith('tls/'))?.slice('tls/'.length);
  }

  /** Begins to connect, and goes on until {@link close}. Resolves after the first login. */
  connect(): Promise<readonly string[]> {
    const first = new Promise<readonly string[]>((resolve) => this.once('up', resolve));
    this.#attempt();
    return first;
  }

  /**
   * Who is handed the requests of a method that begin something new, as INVITEs from outside. REGISTERs are asked for only
   * where somebody takes them before {@link connect}.
   */
  onOutside(method: 'INVITE' | 'MESSAGE' | 'OPTIONS' | 'REGISTER', listener: (request: ReceivedRequest) => void): void {
    this.#outside.set(method, listener);
  }

  /**
   * Invites a media server, which answers at once or is given up after `timeoutMs`. Resolves to drachtio-srf's own dialog:
   * that is what drachtio-fsmrf takes. Rejects with that library's error, whose `status` is that of a refusal.
   */
  inviteMediaServer(uri: string, options: MediaServerInvite, timeoutMs: number): Promise<SrfDialog> {
    if (!this.#login) return Promise.reject(noConnection());
    return inviteMediaServer(this, this.#login, uri, options, timeoutMs);
  }

  /**
   * Sends a request outside of dialogs.
   * @returns its final response
   * @throws Error when it could not be sent, or the connection was lost before the response
   */
  async request(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string>>,
    { body, proxy }: { readonly body?: string; readonly proxy?: string | undefined } = {},
  ): Promise<SipAnswer> {
    return this.exchange(uri, {
      method,
      headers,
      ...(body !== undefined && { body }),
      ...(proxy !== undefined && { proxy }),
    });
  }

  /** A request and its final response, with what confirms that. */
  async exchange(
    uri: string,
    options: SrfRequestOptions,
    accepted: (confirm: Confirm) => void = () => undefined,
  ): Promise<SipAnswer> {
    return new Promise((resolve, reject) => {
      const lost = (reason: string) => reject(new Error(`drachtio server lost: ${reason}`));
      this.once('down', lost);
      const fail = (error: unknown) => {
        this.off('down', lost);
        reject(asError(error));
      };
      this.send(uri, options, (sent) => {
        if (sent instanceof Error) return fail(sent);
        sent.on('response', (response, acknowledge) => {
          if (response.status < 200) return;
          this.off('down', lost);
          if (response.status < 300) accepted(this.confirming(acknowledge));
          resolve(asAnswer(response));
        });
      });
    });
  }

  /** Sends a request of any kind; `done` learns that it was sent before any response to it comes, or why it was not. */
  send(uri: string, options: SrfRequestOptions, done: (sent: SentRequest | Error) => void): void {
    try {
      const loopback = this.#loopback;
      if (loopback?.owns(options) || (loopback && this.up && leadsTo(this.#servers, options.proxy ?? uri))) {
        const [{ host, port } = { host: 'localhost', port: sipPort }] = this.#servers;
        loopback.send(uri, options, `${host}:${port}`, done);
        return;
      }
      const login = this.#login;
      if (!login) throw noConnection();
      checkSize(uri, options.headers, options.body);
      login.request(uri, { ...options, headers: { ...options.headers } }, (error, sent) => {
        if (!sent) return done(asError(error));
        sent.on('update', (request, responder) => this.#receive(request, responder));
        done(sent);
      });
    } catch (error) {
      done(asError(error));
    }
  }

  /** The connection may be lost by then: the far end repeats its answer, and then ends the call. */
  confirming(acknowledge: Acknowledge): Confirm {
    return (options) =>
      new Promise((resolve) => {
        const done = () => {
          this.off('down', done);
          resolve();
        };
        this.once('down', done);
        try {
          acknowledge(options, done);
        } catch {
          done();
        }
      });
  }

  /** Logs out. Nothing is sent or received after it. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#login = undefined;
    this.#attempted?.close();
  }

  #attempt(): void {
    const { host, port, secret, pingMs } = this.#options;
    this.#attempted = new Login({
      ...{ host, port, secret, ...(pingMs !== undefined && { pingMs }) },
      registrar: this.#outside.has('REGISTER'),
      receive: (request, responder) => this.#receive(request, responder),
      up: (login, addresses) => {
        this.#login = login;
        this.#retryMs = firstRetryMs;
        this.#addresses = addresses;
        this.#servers = serverAddresses(addresses);
        this.emit('up', addresses);
      },
      lost: (reason) => {
        this.#login = undefined;
        this.#retry(reason);
      },
    });
  }

  #retry(reason: string): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#attempt(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
    this.emit('down', reason);
  }

  #receive(srfRequest: SrfRequest, responder: Responder): void {
    const request = receivedRequest(srfRequest, responder);
    const dialog = this.dialogs.get(srfRequest.stackDialogId);
    if (dialog) {
      dialog(request);
      return;
    }
    if (request.method === 'ACK') return;
    if (/;\s*tag\s*=/i.test(request.header('to'))) {
      request.respond(noSuchDialog);
      return;
    }
    const listener = this.#outside.get(request.method);
    if (listener) listener(request);
    else if (request.method === 'INVITE') request.respond(notFound);
    else request.respond(request.method === 'CANCEL' ? badRequest : methodNotAllowed, { headers: { Allow: allow } });
  }
}

const noConnection = (): Error => new Error('there is no connection to the SIP server');
