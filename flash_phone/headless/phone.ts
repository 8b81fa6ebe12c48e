import {
  type AmfObject,
  type AmfValue,
  type AudioMessage,
  amfProperties,
  RtmpCallError,
  RtmpClient,
  type RtmpClientStream,
  type RtmpConnection,
  RtmpError,
  TypedEmitter,
} from 'rtmp-server-ts';

/** Names of the codes of `Sono.Call.Status`. */
export const statusNames = ['NOT_CONNECTED', 'IN_PROGRESS', 'CONNECTED', 'DISCONNECTING', 'CONNECT_STREAMS'] as const;

export interface CallStatus {
  readonly code: number;
  /** Of the call's end. */
  readonly sipStatus: number | undefined;
  readonly reason: string | undefined;
}

export interface Caller {
  /** The user that was called. */
  readonly uri: string | undefined;
  readonly from: string | undefined;
  readonly displayName: string | undefined;
}

export interface Credentials {
  readonly username: string;
  readonly registrar?: string | undefined;
  readonly password?: string | undefined;
}

/** What a command was refused with. */
export class Refused extends Error {
  readonly command: string;
  /** As the gateway gives it, such as Sono.Call.Failed. */
  readonly code: string;

  constructor(command: string, code: string, description: string) {
    super(description);
    this.name = 'Refused';
    this.command = command;
    this.code = code;
  }
}

export type PhoneEvents = {
  status: [status: CallStatus];
  incoming: [caller: Caller];
  /** Something else that the gateway tells, such as Sono.Call.Hold, with what it says about it. */
  told: [code: string, details: AmfObject];
  /** A command that needs no answer was refused after all. */
  refused: [refusal: Refused];
  audio: [message: AudioMessage];
  closed: [reason: string];
};

/** A client of the Sono API: one connection, one call. */
export class Phone extends TypedEmitter<PhoneEvents> {
  readonly #connection: RtmpConnection;
  readonly #closed: Promise<void>;
  #publishing: RtmpClientStream | undefined;

  private constructor(connection: RtmpConnection) {
    super();
    this.#connection = connection;
    connection.on('status', (info) => this.#told(info));
    this.#closed = new Promise((resolve) => connection.on('close', () => resolve()));
    connection.on('close', ({ message }) => this.emit('closed', message));
    // Whatever else the gateway calls (onBWDone and the like) wants no answer.
    connection.on('call', () => {});
  }

  /** @throws RtmpError, RtmpCallError: see RtmpClient.connect */
  static async connect(url: string): Promise<Phone> {
    return new Phone(await RtmpClient.connect(url));
  }

  get protocol(): string {
    return this.#connection.protocol;
  }

  /** @returns the address at which this phone can now be called @throws Refused; RtmpError when the connection is lost */
  async register(credentials?: Credentials): Promise<string> {
    const { username, registrar = null, password = null } = credentials ?? {};
    const args = username === undefined ? [] : withoutEnd([username, registrar, password]);
    const [info] = await this.#command('register', ...args);
    const uri = amfProperties(info ?? null)?.uri;
    return typeof uri === 'string' ? uri : '';
  }

  dial(uri: string): void {
    this.#unanswered('dial', uri);
  }

  accept(): void {
    this.#unanswered('accept');
  }

  hangup(): void {
    this.#unanswered('hangup');
  }

  sendDTMF(digits: string): void {
    this.#unanswered('sendDTMF', digits);
  }

  /** On CONNECT_STREAMS: the names mean nothing. @throws RtmpError */
  async openStreams(): Promise<void> {
    const [sends, hears] = [await this.#connection.createStream(), await this.#connection.createStream()];
    hears.on('audio', (message) => this.emit('audio', message));
    await Promise.all([sends.publish('dummy', 'live'), hears.play('dummy')]);
    this.#publishing = sends;
  }

  /** @returns whether it was taken */
  sendAudio(timestamp: number, body: Uint8Array): boolean {
    return this.#publishing?.sendAudio(timestamp, body) ?? false;
  }

  /** Resolves when all is said and the connection is closed. */
  async close(): Promise<void> {
    this.#connection.close();
    await this.#closed;
  }

  async #command(name: string, ...args: AmfValue[]): Promise<AmfValue[]> {
    try {
      return await this.#connection.call(name, ...args);
    } catch (error) {
      if (!(error instanceof RtmpCallError)) throw error;
      const { code, description } = amfProperties(error.info[0] ?? null) ?? {};
      throw new Refused(name, text(code) ?? error.code, text(description) ?? error.message);
    }
  }

  /** The gateway answers these commands with faults only. */
  #unanswered(name: string, ...args: AmfValue[]): void {
    this.#command(name, ...args).catch((error: unknown) => {
      if (error instanceof Refused) this.emit('refused', error);
      else if (!(error instanceof RtmpError && harmless.has(error.code))) throw error;
    });
  }

  #told(info: AmfObject): void {
    const { level: _, code, ...details } = info;
    const { status_code, sip_status, reason, uri, from, displayName } = details;
    if (code === 'Sono.Call.Status' && typeof status_code === 'number') {
      this.emit('status', {
        code: status_code,
        sipStatus: typeof sip_status === 'number' ? sip_status : undefined,
        reason: text(reason),
      });
    } else if (code === 'Sono.Call.Incoming') {
      this.emit('incoming', { uri: text(uri), from: text(from), displayName: text(displayName) });
    } else if (typeof code === 'string') {
      this.emit('told', code, details);
    }
  }
}

/** No answer within the time for answers, or none any more. */
const harmless: ReadonlySet<string> = new Set(['call.timeout', 'call.closed']);

const text = (value: AmfValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

function withoutEnd(values: readonly AmfValue[]): AmfValue[] {
  return values.slice(0, values.findLastIndex((value) => value !== null) + 1);
}
