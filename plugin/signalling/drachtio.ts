import { EventEmitter } from 'node:events';
import Srf from 'drachtio-srf';

/** The only file that knows drachtio-srf: its types are completed here to what the library really does. */

export interface SipResponse {
  readonly status: number;
  readonly reason: string;
}

/** An INVITE on its way. */
export interface SentInvite {
  cancel(done: (error: unknown) => void): void;
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
  readonly onProvisional: (response: SipResponse) => void;
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

/** A final response other than 2xx to a request of ours. */
export class SipFailure extends Error {
  override readonly name = 'SipFailure';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(`${status} ${reason}`);
    this.status = status;
    this.reason = reason;
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
  down: [reason: string];
}

/** The connection to a drachtio server: kept up by reconnecting with a growing delay. */
export class DrachtioConnection extends EventEmitter<DrachtioEvents> {
  readonly #srf = new Srf();
  readonly #options: DrachtioOptions;
  #up = false;
  #closed = false;

  constructor(options: DrachtioOptions) {
    super();
    // Every call in progress listens for `down`.
    this.setMaxListeners(0);
    this.#options = options;
    this.#srf.on('connect', (error: Error | null, hostports?: string) => {
      if (error) {
        this.#fall(`the drachtio server refused the login: ${error.message}`);
        return;
      }
      this.#up = true;
      this.emit('up', (hostports ?? '').split(','));
    });
    this.#srf.on('error', (error: Error) => this.#fall(error.message));
    // The library's types lack the events of its connection.
    const socketEvents: NodeJS.EventEmitter = this.#srf;
    socketEvents.on('close', () => this.#fall('connection closed'));
  }

  get up(): boolean {
    return this.#up;
  }

  /** Resolves after the first login; keeps trying until then, and calls `retrying` at each failure. */
  connect(retrying: (reason: string) => void = () => {}): Promise<readonly string[]> {
    return new Promise((resolve) => {
      this.on('down', retrying);
      this.once('up', (hostports) => {
        this.off('down', retrying);
        resolve(hostports);
      });
      const { host, port, secret } = this.#options;
      // The library retries by itself; a rejection of the first attempt arrives as an `error` event too.
      this.#srf.connect({ host, port, secret })?.catch?.(() => {});
    });
  }

  /** @throws SipFailure for a final response other than 2xx, Error when the request could not be sent. */
  async invite(uri: string, { headers, sdp, onSent, onProvisional }: InviteOptions): Promise<SipDialog> {
    try {
      const dialog = await this.#srf.createUAC(
        uri,
        { headers: { ...headers }, localSdp: sdp },
        {
          // Called with (error, request), whatever the library's types say.
          cbRequest: ((error: unknown, request?: Srf.SrfRequest) => {
            if (!error && request) onSent({ cancel: (done) => request.cancel(done) });
          }) as (request: Srf.SrfRequest) => void,
          cbProvisional: (response) => onProvisional({ status: response.status, reason: response.reason }),
        },
      );
      return wrapDialog(dialog);
    } catch (error) {
      throw asFailure(error);
    }
  }

  /** Hands over every INVITE from outside that begins a call. */
  onInvite(listener: (invite: ReceivedInvite) => void): void {
    this.#srf.invite((request, response) => listener(this.#receivedInvite(request, response)));
  }

  /** Logs out. Nothing is sent or received after it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    this.#srf.disconnect();
  }

  #receivedInvite(request: Srf.SrfRequest, response: Srf.SrfResponse): ReceivedInvite {
    const from = request.getParsedHeader('from');
    const displayName = from.name?.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
    return {
      called: unescapeUser(Srf.parseUri(request.uri)?.user ?? ''),
      from: from.uri,
      ...(displayName && { displayName }),
      sdp: request.body ?? '',
      respond: (status) => response.send(status),
      answer: async (sdp) => {
        try {
          return wrapDialog(await this.#srf.createUAS(request, response, { localSdp: sdp }));
        } catch (error) {
          throw asFailure(error);
        }
      },
      onCancel: (listener) => void request.on('cancel', listener),
    };
  }

  #fall(reason: string): void {
    this.#up = false;
    if (!this.#closed) this.emit('down', reason);
  }
}

/** RFC 3261 section 19.1.2; what is escaped wrongly is left as it is. */
function unescapeUser(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

function wrapDialog(dialog: Srf.Dialog): SipDialog {
  return {
    remoteSdp: dialog.remote.sdp,
    bye: (headers) =>
      new Promise((resolve, reject) => {
        dialog.destroy({ headers: { ...headers } }, (error: unknown) => (error ? reject(error) : resolve()));
      }),
    onBye: (listener) => void dialog.on('destroy', listener),
  };
}

/** drachtio-srf rejects with an error that has a status only where there was a response. */
function asFailure(error: unknown): Error {
  if (error instanceof Error && 'status' in error && typeof error.status === 'number') {
    const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : '';
    return new SipFailure(error.status, reason);
  }
  return error instanceof Error ? error : new Error(String(error));
}
