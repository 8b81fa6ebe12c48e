import { parseNameAddr, tagOf, userOf } from '../addresses/name-addr.js';
import { readAllow, SipDialog } from './dialog.js';
import type { DrachtioConnection } from './drachtio.js';
import type { ReceivedRequest } from './received-request.js';

/** One INVITE transaction of a caller, from the request to our final response. */
export class ReceivedInvite {
  readonly request: ReceivedRequest;
  /** User part of the Request-URI, unescaped. */
  readonly called: string;
  /** The caller's SIP URI and name, as in From. */
  readonly from: string;
  readonly displayName: string | undefined;
  readonly #connection: DrachtioConnection;
  #dialogId = '';
  #closed = false;
  /** Takes the requests of the dialog, answered or not yet. */
  #receive: (request: ReceivedRequest) => void = (request) => request.respond(481);

  private constructor(connection: DrachtioConnection, request: ReceivedRequest, from: string, name?: string) {
    this.#connection = connection;
    this.request = request;
    this.called = userOf(request.uri);
    this.from = from;
    this.displayName = name;
  }

  /** Undefined for an INVITE whose From cannot be read. */
  static of(connection: DrachtioConnection, request: ReceivedRequest): ReceivedInvite | undefined {
    const from = parseNameAddr(request.header('from'));
    return from && new ReceivedInvite(connection, request, from.uri, from.displayName);
  }

  /** Empty when there is no offer. */
  get sdp(): string {
    return /^application\/sdp\b/i.test(this.request.header('content-type')) ? this.request.body : '';
  }

  /** Who takes the requests of the dialog. */
  onRequest(receive: (request: ReceivedRequest) => void): void {
    this.#receive = receive;
    this.request.onUpdate((update) => receive(update));
  }

  respond(status: number, headers: Readonly<Record<string, string>> = {}, body?: string): void {
    if (status >= 200) this.close();
    this.request.respond(status, { headers, ...(body !== undefined && { body }) }, (sent) => {
      // A final response may have followed before the server has confirmed this one.
      if (sent instanceof Error || this.#closed || sent.dialogId === '') return;
      this.#dialogId = sent.dialogId;
      this.#connection.dialogs.set(sent.dialogId, (request) => this.#receive(request));
    });
  }

  /** Sends a 200; `done` gets an error when it cannot be sent. */
  answer(sdp: string, headers: Readonly<Record<string, string>>, done: (dialog: SipDialog | Error) => void): void {
    const { request } = this;
    request.respond(200, { headers, body: sdp }, (sent) => {
      if (sent instanceof Error) return done(sent);
      this.close();
      const identity = {
        id: sent.dialogId,
        callId: request.header('call-id'),
        localTag: tagOf(sent.header('to')),
        remoteTag: tagOf(sent.header('from')),
        initiator: false,
        allowed: readAllow(request.header('allow')),
        target: parseNameAddr(request.header('contact'))?.uri ?? '',
      };
      done(new SipDialog(this.#connection, identity, (inDialog) => this.#receive(inDialog)));
    });
  }

  /** There will be no dialog. */
  close(): void {
    this.#closed = true;
    this.#connection.dialogs.delete(this.#dialogId);
  }
}
