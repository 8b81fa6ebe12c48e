import type { EventEmitter } from 'node:events';
import Srf from 'drachtio-srf';

/**
 * The only file that imports drachtio-srf. The library's own types leave out, or say otherwise, some of what it does;
 * these are the parts used here as they are.
 */

export interface SrfMessage {
  readonly uri: string;
  readonly body?: string;
  getParsedHeader(name: 'from'): { readonly uri?: string; readonly name?: string } | undefined;
}

export interface SrfResponse {
  readonly status: number;
  readonly reason: string;
  get: GetHeader;
}

/** Several headers of one name are joined by commas. */
type GetHeader = (name: string) => string | undefined;

/** A request that was sent. */
export interface SentRequest extends SrfMessage {
  readonly stackTxnId: string;
  get: GetHeader;
  on(event: 'response', listener: (response: SrfResponse) => void): unknown;
}

export interface ReceivedRequest extends SrfMessage {
  on(event: 'cancel', listener: () => void): unknown;
}

export interface Responder {
  send(status: number): void;
}

export interface SrfDialog {
  readonly id: string;
  readonly remote: { readonly sdp: string };
  /** False once the far end has hung up. */
  readonly connected: boolean;
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

/** A CANCEL by transaction, a BYE by dialog, or a request of its own. */
export type SrfRequestOptions =
  | { readonly method: string; readonly headers: Record<string, string> }
  | { readonly method: 'CANCEL'; readonly stackTxnId: string }
  | { readonly method: 'BYE'; readonly stackDialogId: string; readonly headers: Record<string, string> };

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
  invite(listener: (request: ReceivedRequest, response: Responder) => void): void;
  createUAC(uri: string, options: UacOptions, callbacks: UacCallbacks): Promise<SrfDialog>;
  createUAS(
    request: ReceivedRequest,
    response: Responder,
    options: { headers: Record<string, string>; localSdp: string },
  ): Promise<SrfDialog>;
  /** The callback comes before any response to the request; a promise could come after. */
  request(uri: string, options: SrfRequestOptions, done: (error: unknown, sent?: SentRequest) => void): unknown;
}

export function createSrf(): SrfClient {
  const srf: EventEmitter = new Srf();
  return srf as unknown as SrfClient;
}

/** User part of a SIP URI, unescaped (RFC 3261 section 19.1.2); what is escaped wrongly is left as it is. */
export function userOf(uri: string): string {
  const user = Srf.parseUri(uri)?.user ?? '';
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
