import { EventEmitter } from 'node:events';
import {
  createSrf,
  type ReceivedRequest,
  type Responder,
  type SentRequest,
  type SrfClient,
  type SrfDialog,
  type SrfRequestOptions,
  type SrfResponse,
  userOf,
} from './srf.js';

/** An INVITE on its way. */
export interface SentInvite {
  /** What the same INVITE keeps when it is sent again with credentials (RFC 3261 section 22.2). */
  readonly callId: string;
  readonly from: string;
  readonly sequence: number;
  cancel(): void;
}

/** An answered call. */
export interface SipDialog {
  readonly remoteSdp: string;
  /** Sends a BYE; resolves with its final response, rejects when it could not be sent. */
  bye(headers: Readonly<Record<string, string>>): Promise<void>;
  /** The far end's BYE, already answered. */
  onBye(listener: () => void): void;
}

export interface InviteOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly sdp: string;
  readonly onSent: (invite: SentInvite) => void;
  readonly onProvisional: (response: SrfResponse) => void;
}

/** An INVITE of a new call, from outside. */
export interface ReceivedInvite {
  /** User part of the Request-URI, unescaped. */
  readonly called: string;
  /** The caller's SIP URI and name, as in From. */
  readonly from: string;
  readonly displayName?: string;
  /** Empty when there is no offer. */
  readonly sdp: string;
  respond(status: number): void;
  /** Sends a 200; rejects when it cannot be sent or the caller has given up. */
  answer(sdp: string): Promise<SipDialog>;
  onCancel(listener: () => void): void;
}

/** The final response to a request. */
export interface SipAnswer {
  readonly status: number;
  readonly reason: string;
  /** Several headers of one name are joined by commas; empty when there is none. */
  header(name: string): string;
}

/** A final response other than 2xx to a request of ours. */
export class SipFailure extends Error {
  override readonly name = 'SipFailure';
  readonly answer: SipAnswer;

  constructor(answer: SipAnswer) {
    super(`${answer.status} ${answer.reason}`);
    this.answer = answer;
  }
}

export interface DrachtioOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
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

const temporarilyUnavailable = 480;
const badRequest = 400;

/** The connection to a drachtio server, made anew whenever it is lost. */
export class DrachtioConnection extends EventEmitter<DrachtioEvents> {
  readonly #options: DrachtioOptions;
  /** The login that works now; each new connection is a new one. */
  #login: SrfClient | undefined;
  #tls = false;
  #retryMs = firstRetryMs;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #onInvite: (invite: ReceivedInvite) => void = (invite) => invite.respond(temporarilyUnavailable);

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

  /** Who is handed every INVITE from outside that begins a call. */
  onInvite(listener: (invite: ReceivedInvite) => void): void {
    this.#onInvite = listener;
  }

  /** @throws SipFailure for a final response other than 2xx, Error when the request could not be sent. */
  async invite(uri: string, { headers, sdp, onSent, onProvisional }: InviteOptions): Promise<SipDialog> {
    const login = this.#current();
    const dialog = await login
      .createUAC(
        uri,
        { headers: { ...headers }, localSdp: sdp },
        {
          cbRequest: (error, request) => {
            if (!error && request) onSent(this.#sent(request));
          },
          cbProvisional: onProvisional,
        },
      )
      .catch(rethrow);
    return this.#wrap(dialog, login);
  }

  /**
   * Invites a media server, which answers at once or is given up after `timeoutMs`. Resolves to drachtio-srf's own dialog:
   * that is what drachtio-fsmrf takes. Rejects with that library's error, whose `status` is that of a refusal.
   */
  inviteMediaServer(
    uri: string,
    { headers, localSdp }: { readonly headers: Readonly<Record<string, string>>; readonly localSdp?: string },
    timeoutMs: number,
  ): Promise<SrfDialog> {
    return new Promise((resolve, reject) => {
      let sent: SentRequest | undefined;
      let over = false;
      const end = (error?: Error) => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        this.off('down', lost);
        if (error) reject(error);
      };
      const lost = (reason: string) => end(new Error(`drachtio server lost: ${reason}`));
      const timer = setTimeout(() => {
        if (sent) this.#cancel(sent);
        end(new Error(`no answer to the INVITE within ${timeoutMs} ms`));
      }, timeoutMs);
      this.once('down', lost);
      const callbacks = {
        cbRequest: (_: unknown, request?: SentRequest) => {
          sent = request;
        },
        cbProvisional: () => {},
      };
      this.#current()
        .createUAC(uri, { headers: { ...headers }, ...(localSdp !== undefined && { localSdp }) }, callbacks)
        .then((dialog) => {
          // An answer that nobody waits for any more.
          if (over) dialog.destroy({ headers: {} }, () => {});
          end();
          resolve(dialog);
        }, end);
    });
  }

  /**
   * Sends a request outside of dialogs.
   * @returns its final response
   * @throws Error when it could not be sent, or the connection was lost before the response
   */
  async request(method: string, uri: string, headers: Record<string, string>): Promise<SipAnswer> {
    return this.#exchange(uri, { method, headers });
  }

  /** Logs out. Nothing is sent or received after it. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
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
      if (this.#login === srf) this.#login = undefined;
      this.#retry(reason);
    };
    const timeout = setTimeout(() => lost(`no login within ${loginTimeoutMs} ms`), loginTimeoutMs);
    srf.invite((request, response) => {
      const invite = this.#received(request, response, srf);
      if (invite) this.#onInvite(invite);
      else response.send(badRequest);
    });
    srf.on('error', (error) => lost(error.message));
    srf.on('close', () => lost('connection closed'));
    srf.on('connect', (error, hostports = '') => {
      if (error) return lost(`the drachtio server refused the login: ${error.message}`);
      if (over || this.#closed) return srf.disconnect();
      clearTimeout(timeout);
      this.#login = srf;
      this.#retryMs = firstRetryMs;
      this.#tls = hostports.split(',').some((hostport) => hostport.startsWith('tls/'));
      this.emit('up', hostports.split(','));
    });
    srf.connect({ ...this.#options, reconnect: { maxAttempts: 1 } });
  }

  #retry(reason: string): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#attempt(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
    this.emit('down', reason);
  }

  #current(): SrfClient {
    if (!this.#login) throw new Error('there is no connection to the SIP server');
    return this.#login;
  }

  #sent(request: SentRequest): SentInvite {
    return {
      callId: request.get('call-id') ?? '',
      from: request.get('from') ?? '',
      sequence: Number.parseInt(request.get('cseq') ?? '', 10),
      cancel: () => this.#cancel(request),
    };
  }

  /** The server knows the transaction by its id, also when the INVITE went out on a connection that is gone. */
  #cancel({ uri, stackTxnId }: SentRequest): void {
    const cancel = () => {
      // What became of the INVITE says more than an error of the CANCEL: a final response is always on its way.
      this.#login?.request(uri, { method: 'CANCEL', stackTxnId }, () => {});
    };
    if (this.up) cancel();
    else this.once('up', cancel);
  }

  /** @returns nothing for an INVITE whose From cannot be read */
  #received(request: ReceivedRequest, response: Responder, login: SrfClient): ReceivedInvite | undefined {
    const { uri: from, name } = request.getParsedHeader('from') ?? {};
    if (from === undefined) return undefined;
    const displayName = name?.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
    return {
      called: userOf(request.uri),
      from,
      ...(displayName && { displayName }),
      sdp: request.body ?? '',
      respond: (status) => response.send(status),
      answer: async (localSdp) => {
        const dialog = await login.createUAS(request, response, { headers: {}, localSdp }).catch(rethrow);
        return this.#wrap(dialog, login);
      },
      onCancel: (listener) => void request.on('cancel', listener),
    };
  }

  #wrap(dialog: SrfDialog, login: SrfClient): SipDialog {
    return {
      remoteSdp: dialog.remote.sdp,
      bye: (headers) => (login === this.#login ? destroy(dialog, headers) : this.#byeById({ id: dialog.id, headers })),
      // A BYE in the same read as the answer is handled before a promise for the dialog has told anybody of it.
      onBye: (listener) => (dialog.connected ? void dialog.on('destroy', listener) : queueMicrotask(listener)),
    };
  }

  /** The server still has the dialog, but the connection that it was made on is gone. */
  async #byeById({ id, headers }: { id: string; headers: Readonly<Record<string, string>> }): Promise<void> {
    await this.#exchange('sip:placeholder', { method: 'BYE', stackDialogId: id, headers: { ...headers } });
  }

  /** A request and its final response. */
  async #exchange(uri: string, options: SrfRequestOptions): Promise<SipAnswer> {
    const login = this.#current();
    return new Promise((resolve, reject) => {
      const lost = (reason: string) => reject(new Error(`drachtio server lost: ${reason}`));
      this.once('down', lost);
      login.request(uri, options, (error, sent) => {
        if (!sent) {
          this.off('down', lost);
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        sent.on('response', (response) => {
          if (response.status < 200) return;
          this.off('down', lost);
          resolve(asAnswer(response));
        });
      });
    });
  }
}

function asAnswer(response: SrfResponse): SipAnswer {
  const { status, reason } = response;
  return { status, reason, header: (name) => response.get(name) ?? '' };
}

function destroy(dialog: SrfDialog, headers: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve, reject) => {
    dialog.destroy({ headers: { ...headers } }, (error) => (error ? reject(error) : resolve()));
  });
}

/** drachtio-srf rejects with an error that has the response only where there was one. */
function rethrow(error: unknown): never {
  if (isRefusal(error)) throw new SipFailure(asAnswer(error.res));
  throw error instanceof Error ? error : new Error(String(error));
}

function isRefusal(error: unknown): error is { readonly res: SrfResponse } {
  return typeof error === 'object' && error !== null && 'res' in error && typeof error.res === 'object';
}
