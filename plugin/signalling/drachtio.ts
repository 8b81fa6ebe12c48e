import { EventEmitter } from 'node:events';
import { allow } from './capabilities.js';
import { inviteMediaServer, type MediaServerInvite } from './media-server-invite.js';
import { checkSize } from './message-size.js';
import { asError, type ReceivedRequest, receivedRequest } from './received-request.js';
import { asAnswer, type SipAnswer } from './sip-answer.js';
import {
  type Acknowledge,
  createSrf,
  pingServer,
  type Responder,
  type SentRequest,
  type SrfClient,
  type SrfDialog,
  type ReceivedRequest as SrfRequest,
  type SrfRequestOptions,
  tellForksApart,
} from './srf.js';

export interface DrachtioOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Milliseconds between two looks whether the server still answers, and that it has to answer. */
  readonly pingMs?: number;
}

interface DrachtioEvents {
  /** Logged in; carries the server's own SIP addresses, e.g. `udp/127.0.0.1:5060`. */
  up: [hostports: readonly string[]];
  /** The connection was lost, or an attempt at it failed. */
  down: [reason: string];
}

/** Milliseconds before the first new attempt after a failure; doubled by each that fails too. */
const firstRetryMs = 250;
const longestRetryMs = 5_000;
/** Milliseconds that a server has to take a connection and the login. */
const loginTimeoutMs = 10_000;
const defaultPingMs = 10_000;

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
  #tls = false;
  #retryMs = firstRetryMs;
  #timer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DrachtioOptions) {
    super();
    // Every call in progress listens for `down`.
    this.setMaxListeners(0);
    this.#options = options;
  }

  get up(): boolean {
    return this.#login !== undefined;
  }

  /** Whether the server has an address for SIP over TLS. */
  get tls(): boolean {
    return this.#tls;
  }

  /** Begins to connect, and goes on until {@link close}. Resolves after the first login. */
  connect(): Promise<readonly string[]> {
    const first = new Promise<readonly string[]>((resolve) => this.once('up', resolve));
    this.#attempt();
    return first;
  }

  /** Who is handed the requests of a method that begin something new, as INVITEs from outside. */
  onOutside(method: 'INVITE' | 'MESSAGE' | 'OPTIONS', listener: (request: ReceivedRequest) => void): void {
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
    body?: string,
  ): Promise<SipAnswer> {
    return this.exchange(uri, { method, headers, ...(body !== undefined && { body }) });
  }

  /** A request and its final response, with what confirms that. */
  async exchange(
    uri: string,
    options: SrfRequestOptions,
    accepted: (confirm: () => void) => void = () => undefined,
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
          if (response.status < 300) accepted(contained(acknowledge));
          resolve(asAnswer(response));
        });
      });
    });
  }

  /** Sends a request of any kind; `done` learns that it was sent before any response to it comes, or why it was not. */
  send(uri: string, options: SrfRequestOptions, done: (sent: SentRequest | Error) => void): void {
    try {
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

  /** Logs out. Nothing is sent or received after it. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#pingTimer);
    const login = this.#login;
    this.#login = undefined;
    login?.disconnect();
  }

  #attempt(): void {
    const srf = createSrf();
    let over = false;
    const lost = (reason: string) => {
      if (over) return;
      over = true;
      clearTimeout(timeout);
      clearTimeout(this.#pingTimer);
      if (this.#login === srf) this.#login = undefined;
      this.#retry(reason);
    };
    const timeout = setTimeout(() => lost(`no login within ${loginTimeoutMs} ms`), loginTimeoutMs);
    srf.use((request, responder) => this.#receive(request, responder));
    for (const route of ['invite', 'message', 'options'] as const) srf[route](() => undefined);
    srf.on('error', (error) => lost(error.message));
    srf.on('close', () => lost('connection closed'));
    srf.on('connect', (error, hostports = '') => {
      if (error) return lost(`the drachtio server refused the login: ${error.message}`);
      if (over || this.#closed) return srf.disconnect();
      clearTimeout(timeout);
      tellForksApart(srf);
      this.#login = srf;
      this.#retryMs = firstRetryMs;
      this.#tls = hostports.split(',').some((hostport) => hostport.startsWith('tls/'));
      this.#ping(srf, lost);
      this.emit('up', hostports.split(','));
    });
    srf.connect({ ...this.#options, reconnect: { maxAttempts: 1 } });
  }

  /** A host that has gone without a word closes no connection: TCP itself would take a quarter of an hour to notice. */
  #ping(srf: SrfClient, lost: (reason: string) => void): void {
    const { pingMs = defaultPingMs } = this.#options;
    this.#pingTimer = setTimeout(() => {
      const hangUp = pingServer(srf, () => {
        clearTimeout(this.#pingTimer);
        this.#ping(srf, lost);
      });
      this.#pingTimer = setTimeout(() => {
        hangUp();
        lost(`no answer to a ping within ${pingMs} ms`);
      }, pingMs);
    }, pingMs);
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

/** The connection may have been lost since: then the server sends the ACK no more. */
function contained(acknowledge: Acknowledge): () => void {
  return () => {
    try {
      acknowledge();
    } catch {
      // The far end repeats its answer, and then ends the call.
    }
  };
}

const noConnection = (): Error => new Error('there is no connection to the SIP server');
