import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';

/**
 * The only file that knows drachtio-fsmrf and its event socket, drachtio-modesl. They have no types; those of the parts
 * used are here. The library's own `Mrf.connect` is not used: a first connection that is refused it tries again every
 * millisecond, a wrong password is never answered, a missing profile throws where nobody can catch it, and what reconnects
 * by itself has lost its subscriptions. Here each connection is a new one, and is lost once.
 */
const require = createRequire(import.meta.url);
export const Mrf = require('drachtio-fsmrf') as new (srf: { createUAC: CreateUac }) => object;
export const MediaServer = require('drachtio-fsmrf/lib/mediaserver.js') as NewMediaServer;
export const { Connection } = require('drachtio-modesl') as { readonly Connection: NewConnection };

interface Events {
  on(event: string, listener: (...values: never[]) => void): unknown;
  once(event: string, listener: (...values: never[]) => void): unknown;
  removeAllListeners(event?: string): unknown;
}

/** An event socket, ours to the server or the server's to us for a channel. */
export interface Connection extends Events {
  /** None once it is closed. */
  readonly socket: Socket | null;
  readonly parser: { readonly buffer: Buffer };
  closing?: boolean;
  reconnectOpts: { readonly maxAttempts: number };
  initializeRetryVars(): void;
  api(command: string, done: (reply: { getBody(): string | undefined }) => void): void;
}
type NewConnection = new (host: string, port: number, secret: string, ready: () => void) => Connection;

export interface MediaServer extends Events {
  readonly listenAddress: string;
  readonly _server: Events & { readonly server: Server };
  closing?: boolean;
  createEndpoint(options: { readonly remoteSdp?: string }): Promise<LibraryEndpoint>;
  disconnect(): void;
}
type NewMediaServer = new (
  connection: Connection,
  library: object,
  listenAddress: string,
  listenPort: number,
  advertisedAddress: undefined,
  advertisedPort: undefined,
  profile: string,
) => MediaServer;

interface LibraryEndpoint {
  readonly uuid: string;
  readonly conn: Events | null;
  readonly local: { readonly sdp: string };
  modify(sdp: string): Promise<string>;
  bridge(uuid: string): Promise<void>;
  destroy(): Promise<void>;
  /** The event is sometimes undefined. */
  once(event: 'destroy', listener: (event?: { readonly reason?: string }) => void): unknown;
}

interface InviteOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Without it the server makes the offer. */
  readonly localSdp?: string;
}
export interface Dialog {
  destroy(options: { headers: Record<string, string> }, done: (error: unknown) => void): unknown;
}

type CreateUac = (uri: string, options: InviteOptions) => Promise<object>;

/** Sends INVITEs to media servers: what the library wants of drachtio-srf. Resolves to that one's dialog. */
export interface Inviter {
  inviteMediaServer(uri: string, options: InviteOptions, timeoutMs: number): Promise<Dialog>;
}
