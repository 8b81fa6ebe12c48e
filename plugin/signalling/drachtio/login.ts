import {
  createSrf,
  pingServer,
  type Responder,
  type SrfClient,
  type ReceivedRequest as SrfRequest,
  tellForksApart,
} from './srf.js';

export interface LoginOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Milliseconds between two looks whether the server still answers, and that it has to answer. */
  readonly pingMs?: number;
  /** Whether REGISTERs are asked for: a registrar elsewhere may share the server. */
  readonly registrar: boolean;
  readonly receive: (request: SrfRequest, responder: Responder) => void;
  /** The server has let us in; `addresses` are its own for SIP. */
  readonly up: (login: SrfClient, addresses: readonly string[]) => void;
  /** Once: it did not, or the connection was lost. */
  readonly lost: (reason: string) => void;
}

/** Milliseconds that a server has to take a connection and the login. */
const loginTimeoutMs = 10_000;
const defaultPingMs = 10_000;

/** One login at a drachtio server, from the attempt at it to its loss. */
export class Login {
  readonly #options: LoginOptions;
  readonly #srf = createSrf();
  #timer: NodeJS.Timeout;
  #in = false;
  #over = false;

  constructor(options: LoginOptions) {
    this.#options = options;
    const { host, port, secret, registrar, receive } = options;
    const srf = this.#srf;
    this.#timer = setTimeout(() => this.#lost(`no login within ${loginTimeoutMs} ms`), loginTimeoutMs);
    srf.use(receive);
    for (const route of ['invite', 'message', 'options'] as const) srf[route](() => undefined);
    if (registrar) srf.register(() => undefined);
    srf.on('error', (error) => this.#lost(error.message));
    srf.on('close', () => this.#lost('connection closed'));
    srf.on('connect', (error, hostports = '') => {
      if (error) this.#lost(`the drachtio server refused the login: ${error.message}`);
      else this.#accepted(hostports.split(','));
    });
    srf.connect({ host, port, secret, reconnect: { maxAttempts: 1 } });
  }

  /** Logs out. Nothing is told after it. */
  close(): void {
    this.#end();
    if (this.#in) this.#srf.disconnect();
  }

  #accepted(addresses: readonly string[]): void {
    if (this.#over) {
      this.#srf.disconnect();
      return;
    }
    this.#in = true;
    tellForksApart(this.#srf);
    this.#ping();
    this.#options.up(this.#srf, addresses);
  }

  #lost(reason: string): void {
    if (this.#over) return;
    this.#end();
    this.#in = false;
    this.#options.lost(reason);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** A host that has gone without a word closes no connection: TCP itself would take a quarter of an hour to notice. */
  #ping(): void {
    const { pingMs = defaultPingMs } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const hangUp = pingServer(this.#srf, () => {
        if (!this.#over) this.#ping();
      });
      this.#timer = setTimeout(() => {
        hangUp();
        this.#lost(`no answer to a ping within ${pingMs} ms`);
      }, pingMs);
    }, pingMs);
  }
}
