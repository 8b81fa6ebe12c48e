import type { Authenticator } from './authenticator.js';
import type { Confirm, DrachtioConnection } from './drachtio.js';
import type { ReceivedRequest } from './received-request.js';
import { type SipAnswer, SipFailure } from './sip-answer.js';

export interface DialogIdentity {
  /** The server's name of the dialog. */
  readonly id: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Whether the INVITE was ours. */
  readonly initiator: boolean;
  /** Methods that the far end allows, in upper case. */
  readonly allowed: ReadonlySet<string>;
  /** The far end's Contact: what requests are for, as a digest has to name it. */
  readonly target: string;
  /** Answers the challenges of servers on the way, where we have credentials. */
  readonly authenticator?: Authenticator;
}

/** The answer to a re-INVITE, and how it is confirmed. */
export interface Reanswer {
  readonly answer: SipAnswer;
  readonly confirm: Confirm;
}

/** The dialog of an answered call. It outlives the connection that it was made on. */
export class SipDialog {
  readonly identity: DialogIdentity;
  readonly #connection: DrachtioConnection;
  #receive: (request: ReceivedRequest) => void;

  /** @param receive Takes every request of the far end, none before the constructor has returned. */
  constructor(connection: DrachtioConnection, identity: DialogIdentity, receive: (request: ReceivedRequest) => void) {
    this.#connection = connection;
    this.identity = identity;
    this.#receive = receive;
    connection.dialogs.set(identity.id, (request) => this.#receive(request));
  }

  get initiator(): boolean {
    return this.identity.initiator;
  }

  /**
   * Sends a request, not INVITE or ACK.
   * @returns its final response
   * @throws Error when it could not be sent, or the connection was lost before the response
   */
  request(method: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<SipAnswer> {
    return this.exchange(method, headers, body, () => undefined);
  }

  /**
   * Sends a re-INVITE.
   * @throws SipFailure for a final response other than 2xx, Error when it could not be sent
   */
  async reinvite(headers: Readonly<Record<string, string>>, sdp: string): Promise<Reanswer> {
    let confirm: Confirm = () => Promise.resolve();
    const answer = await this.exchange('INVITE', headers, sdp, (acknowledge) => {
      confirm = acknowledge;
    });
    if (answer.status >= 300) throw new SipFailure(answer);
    return { answer, confirm };
  }

  /**
   * Sends a request of any kind but ACK; what confirms the answer to a re-INVITE goes to `accepted`.
   * @returns its final response
   * @throws Error when it could not be sent, or the connection was lost before the response
   */
  async exchange(
    method: string,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    accepted: (confirm: Confirm) => void,
  ): Promise<SipAnswer> {
    const { id, target, authenticator } = this.identity;
    authenticator?.begin();
    for (;;) {
      const all = { ...headers, ...authenticator?.headers(method, target) };
      const request = { method, stackDialogId: id, headers: all, ...(body !== undefined && { body }) };
      const answer = await this.#connection.exchange('sip:placeholder', request, accepted);
      if (!authenticator?.challenged(answer)) return answer;
    }
  }

  /** Nothing more is sent or received. */
  close(): void {
    this.#receive = (request) => request.respond(481);
    this.#connection.dialogs.delete(this.identity.id);
  }
}

/** Methods in an Allow header. */
export function readAllow(header: string): ReadonlySet<string> {
  return new Set(
    header
      .toUpperCase()
      .split(',')
      .map((method) => method.trim())
      .filter((method) => method !== ''),
  );
}
