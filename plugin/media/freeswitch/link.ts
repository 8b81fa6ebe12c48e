import { lookup } from 'node:dns/promises';
import type { MediaClock } from '../network/clock.js';
import { Connection, type Dialog, type Inviter, MediaServer, Mrf } from './fsmrf.js';
import { within } from './within.js';

export interface LinkOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly inviter: Inviter;
  readonly clock: MediaClock;
  /** Is told once, when the connection that this resolved to is gone. */
  readonly lost: (reason: string) => void;
}

/** A channel of the media server. */
export interface Endpoint {
  readonly uuid: string;
  /** The SDP that it answered or offered at its creation. */
  readonly sdp: string;
  /** Sends other SDP, and resolves to the answer. */
  modify(sdp: string): Promise<string>;
  bridge(other: Endpoint): Promise<void>;
  /** Hangs it up; resolves when the media server has said so. */
  destroy(): Promise<void>;
  /** The media server has hung it up. */
  onGone(listener: (reason: string) => void): void;
}

/** What the sofia profile is called that takes our INVITEs. */
const profile = 'drachtio_mrf';
/** Milliseconds for each: the connection and login, the answer to a command, the answer to an INVITE. */
const loginTimeout = 5_000;
const inviteTimeout = 2_000;
/** Octets that the server may send before a message is complete; its events have 12 kB. */
const maxMessage = 1024 * 1024;
/** Sockets of calls, two a call, that the server may open. */
const maxCallSockets = 20_000;

/** One connection to a FreeSWITCH server. */
export class Link {
  readonly #connection: Connection;
  readonly #server: MediaServer;

  /** @throws Error whose message says what the server lacks */
  static async connect(options: LinkOptions): Promise<Link> {
    const { host, port, secret, clock } = options;
    // The library reaches servers over IPv4 only.
    const { address } = await lookup(host, 4);
    const connection = new Connection(address, port, secret, () => {});
    connection.reconnectOpts = { maxAttempts: 1 };
    connection.initializeRetryVars();
    connection.once('esl::connect', () => contain(connection));
    try {
      await within(login(connection), loginTimeout, clock, 'no login');
      const status = await within(command(connection, 'sofia status'), loginTimeout, clock, 'no sofia status');
      if (!new RegExp(`^\\s*${profile}\\s.*sip:mod_sofia@[\\d.]+:\\d+`, 'm').test(status)) {
        throw new Error(`it has no sofia profile ${profile} with an IPv4 address`);
      }
      return new Link(
        connection,
        await within(prepare(connection, options), loginTimeout, clock, 'not ready'),
        options,
      );
    } catch (error) {
      drop(connection);
      throw error;
    }
  }

  private constructor(connection: Connection, server: MediaServer, { lost }: LinkOptions) {
    this.#connection = connection;
    this.#server = server;
    connection.once('esl::end', () => {
      this.close();
      lost('it closed the connection');
    });
  }

  /** Our address on the way to the server: where it reaches us too. */
  get localAddress(): string {
    return this.#server.listenAddress;
  }

  api(text: string): Promise<string> {
    return command(this.#connection, text);
  }

  /**
   * Makes a channel that sends to where `remoteSdp` says; without that, one that offers everything the server knows.
   * Rejects with the library's own error: `status` is the SIP status where the INVITE was refused.
   */
  async createEndpoint(remoteSdp?: string): Promise<Endpoint> {
    const endpoint = await this.#server.createEndpoint(remoteSdp === undefined ? {} : { remoteSdp });
    // The library prints every reset of the connection otherwise.
    endpoint.conn?.removeAllListeners('error');
    return {
      uuid: endpoint.uuid,
      sdp: endpoint.local.sdp,
      modify: (sdp) => endpoint.modify(sdp),
      bridge: ({ uuid }) => endpoint.bridge(uuid),
      destroy: () => endpoint.destroy(),
      onGone: (listener) => endpoint.once('destroy', (event) => listener(event?.reason ?? 'connection closed')),
    };
  }

  /** Logs out; calls that go on keep their own connections. */
  close(): void {
    this.#server.disconnect();
  }
}

function login(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('esl::ready', () => resolve());
    connection.once('error', (error) => reject(error));
    connection.once('esl::event::auth::fail', () => reject(new Error('it refuses the secret')));
    connection.once('esl::event::raw::text/rude-rejection', () =>
      reject(new Error('its access list (apply-inbound-acl) does not let this address in')),
    );
    connection.once('esl::end', () => reject(new Error('it closed the connection')));
  });
}

function command(connection: Connection, text: string): Promise<string> {
  return new Promise((resolve) => connection.api(text, (reply) => resolve(reply.getBody() ?? '')));
}

/** Listens for the server's connections, one a channel, on the address on which it is reached. */
function prepare(connection: Connection, { inviter }: LinkOptions): Promise<MediaServer> {
  const library = new Mrf({
    createUAC: async (uri, options) => endQuietly(await inviter.inviteMediaServer(uri, options, inviteTimeout)),
  });
  const server = new MediaServer(
    connection,
    library,
    connection.socket?.localAddress ?? '127.0.0.1',
    0,
    undefined,
    undefined,
    profile,
  );
  // Else the library prints that it reconnects, which it does not.
  server.closing = true;
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.once('connect', () => {
      server._server.server.maxConnections = maxCallSockets;
      server._server.on('connection::open', receive);
    });
    server.once('ready', () => resolve(server));
  });
}

/**
 * The library ends a dialog without looking how that goes: of one that the server has ended just now it fails, and takes
 * the process with it.
 */
function endQuietly(dialog: Dialog): Dialog {
  const destroy = dialog.destroy.bind(dialog);
  dialog.destroy = () => new Promise<void>((resolve) => void destroy({ headers: {} }, () => resolve()));
  return dialog;
}

/** Who connects to our port need not be the server: who says nothing loses the connection. */
function receive(connection: Connection): void {
  const { socket } = connection;
  socket?.setTimeout(loginTimeout, () => socket.destroy());
  connection.once('esl::ready', () => socket?.setTimeout(0));
  contain(connection);
}

/** Bytes that the library's parser chokes on, or that never end, close their connection, and this process goes on. */
function contain(connection: Connection): void {
  const { socket } = connection;
  const [parse] = socket?.listeners('data') ?? [];
  if (!socket || !parse) return;
  // Commands are written in two pieces, which Nagle's algorithm would put 40 ms apart.
  socket.setNoDelay(true);
  socket.removeAllListeners('data');
  socket.on('data', (bytes) => {
    try {
      parse(bytes);
    } catch {
      socket.destroy();
    }
    if (connection.parser.buffer.length > maxMessage) socket.destroy();
  });
}

function drop(connection: Connection): void {
  connection.closing = true;
  connection.removeAllListeners();
  connection.socket?.destroy();
}
