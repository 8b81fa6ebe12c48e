import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import Srf from 'drachtio-srf';
import { type PendingInvite, PendingInvites } from './pending-invites.js';

/**
 * The only file that imports drachtio-srf. Of the library only the connection, the routes and the single request are
 * used: its dialogs throw on a re-INVITE without SDP, and never tell of a re-INVITE that was refused before another
 * waits for it. Its own types leave out, or say otherwise, some of what it does; these are the parts used here as they are.
 */

/** Several headers of one name are joined by commas. */
type GetHeader = (name: string) => string | undefined;

export interface SrfResponse {
  readonly status: number;
  readonly reason: string;
  readonly body?: string;
  readonly stackDialogId: string;
  get: GetHeader;
}

/** Sends the ACK of a 2xx, the PRACK of a reliable provisional response, nothing for any other; `done` learns that it has gone. */
export type Acknowledge = (options?: { readonly body: string }, done?: (error: unknown) => void) => void;

/** A request that was sent. */
export interface SentRequest {
  readonly uri: string;
  readonly stackTxnId: string;
  get: GetHeader;
  on(event: 'response', listener: (response: SrfResponse, acknowledge: Acknowledge) => void): unknown;
  /** An UPDATE of the same call: the library hands it to any request that is pending in it. */
  on(event: 'update', listener: (request: ReceivedRequest, response: Responder) => void): unknown;
}

export interface ReceivedRequest {
  readonly method: string;
  readonly uri: string;
  readonly body?: string;
  /** Empty outside a dialog. */
  readonly stackDialogId: string;
  /** `application`: the server made the request itself, and shows it. */
  readonly source: string;
  /** Where it came from. */
  readonly source_address?: string;
  readonly source_port?: number;
  readonly protocol?: string;
  get: GetHeader;
  on(event: 'cancel', listener: () => void): unknown;
  /** As of a sent request. */
  on(event: 'update', listener: (request: ReceivedRequest, response: Responder) => void): unknown;
}

export interface ResponseOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Responder {
  /** Known once a response has been sent that makes a dialog. */
  readonly stackDialogId: string;
  /** @throws for a status that no RFC defines */
  send(status: number, options: ResponseOptions, done?: (error: unknown, sent?: { get: GetHeader }) => void): void;
}

/** A request of its own, one in a dialog, or the CANCEL of an INVITE. */
export interface SrfRequestOptions {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly stackDialogId?: string;
  readonly stackTxnId?: string;
  /** Next hop, where it is not the Request-URI's. */
  readonly proxy?: string;
}

type Listener = (request: ReceivedRequest, response: Responder) => void;

/** The library's own dialog, for the library that drives a media server: calls have dialogs of their own. */
export interface SrfDialog {
  readonly id: string;
  readonly remote: { readonly sdp: string };
  destroy(options: { headers: Record<string, string> }, done: (error: unknown) => void): unknown;
  on(event: 'destroy', listener: () => void): unknown;
}

interface UacOptions {
  readonly headers: Record<string, string>;
  /** Without it the far end makes the offer. */
  readonly localSdp?: string;
}

interface UacCallbacks {
  cbRequest(error: unknown, request?: SentRequest): void;
  cbProvisional(response: SrfResponse): void;
}

/** One connection to a drachtio server. */
export interface SrfClient {
  connect(options: {
    host: string;
    port: number;
    secret: string;
    /** The library's own reconnecting knows no upper bound. */
    reconnect: { maxAttempts: number };
  }): void;
  /** @throws when it is not connected */
  disconnect(): void;
  on(event: 'connect', listener: (error: Error | null, hostports?: string) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  /** Every request that comes, unless a listener of before has taken it. */
  use(listener: Listener): void;
  /** Has INVITEs outside dialogs sent here. */
  invite(listener: Listener): void;
  message(listener: Listener): void;
  register(listener: Listener): void;
  options(listener: Listener): void;
  createUAC(uri: string, options: UacOptions, callbacks: UacCallbacks): Promise<SrfDialog>;
  /** The callback comes before any response to the request; a promise could come after. */
  request(uri: string, options: SrfRequestOptions, done: (error: unknown, sent?: SentRequest) => void): unknown;
}

export function createSrf(): SrfClient {
  const srf: EventEmitter = new Srf();
  return srf as unknown as SrfClient;
}

interface SrfServer {
  readonly pendingRequests: Map<string, () => void>;
  pendingNetworkInvites: Iterable<[string, PendingInvite]> | PendingInvites;
}

interface SrfInternals {
  readonly app: {
    readonly client?: {
      readonly mapServer: ReadonlyMap<Socket, SrfServer>;
      readonly wp: { send(socket: Socket, message: string): string };
    };
  };
}

/**
 * Asks the server for a sign of life. The library's own pings expect no answer.
 * @returns what closes the connection at once, also when nobody is left to confirm that
 */
export function pingServer(srf: SrfClient, answered: () => void): () => void {
  const { client } = (srf as unknown as SrfInternals).app;
  const [socket, server] = client?.mapServer.entries().next().value ?? [];
  if (!client || !socket || !server || socket.destroyed) return () => undefined;
  server.pendingRequests.set(client.wp.send(socket, 'ping'), answered);
  return () => void socket.destroy();
}

/** Has each CANCEL reach the INVITE that it is for, also where several have one Call-ID. */
export function tellForksApart(srf: SrfClient): void {
  for (const server of (srf as unknown as SrfInternals).app.client?.mapServer.values() ?? []) {
    if (server.pendingNetworkInvites instanceof PendingInvites) continue;
    const invites = new PendingInvites();
    for (const [callId, invite] of server.pendingNetworkInvites) invites.set(callId, invite);
    server.pendingNetworkInvites = invites;
  }
}
