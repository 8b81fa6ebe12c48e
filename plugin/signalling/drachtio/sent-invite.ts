import { parseNameAddr, tagOf } from '../addresses/name-addr.js';
import type { Authenticator } from './authenticator.js';
import { readAllow, SipDialog } from './dialog.js';
import type { Confirm, DrachtioConnection } from './drachtio.js';
import type { ReceivedRequest } from './received-request.js';
import { asAnswer, type SipAnswer, SipFailure } from './sip-answer.js';
import type { Acknowledge, SentRequest, SrfResponse } from './srf.js';

export interface InviteListener {
  provisional(response: SipAnswer): void;
  /** A description before the answer; a further one, also of another callee, takes its place (RFC 3960). */
  early(sdp: string): void;
  /** `sdp` is empty when the answer has no description; `confirm` sends the ACK. */
  answered(dialog: SipDialog, answer: SipAnswer, sdp: string, confirm: Confirm): void;
  /** A SipFailure for a final response. */
  failed(error: Error): void;
  /** Requests of the dialog, answered or not yet. */
  request(request: ReceivedRequest): void;
}

export interface InviteOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Empty to ask for an offer. */
  readonly sdp: string;
  /** Answers challenges within the call. */
  readonly authenticator: Authenticator;
  /** Next hop, where it is not the Request-URI's. */
  readonly proxy?: string | undefined;
}

/** One INVITE transaction of ours, from the request to its final response. */
export class SentInvite {
  readonly #connection: DrachtioConnection;
  readonly #listener: InviteListener;
  readonly #authenticator: Authenticator;
  #sent: SentRequest | undefined;
  #cancelled = false;
  #dialogId = '';
  #provisionals = 0;
  /** RSeq of the last reliable provisional response, and the description, of each callee by its To tag. */
  readonly #callees = new Map<string, { reliable: number; sdp: string }>();

  constructor(
    connection: DrachtioConnection,
    uri: string,
    { headers, sdp, authenticator, proxy }: InviteOptions,
    listener: InviteListener,
  ) {
    this.#connection = connection;
    this.#authenticator = authenticator;
    this.#listener = listener;
    const options = { method: 'INVITE', headers, body: sdp, ...(proxy !== undefined && { proxy }) };
    connection.send(uri, options, (sent) => {
      if (sent instanceof Error) return listener.failed(sent);
      this.#sent = sent;
      sent.on('response', (response, acknowledge) => this.#take(response, acknowledge));
      if (this.#cancelled) this.cancel();
    });
  }

  /** What the same INVITE keeps when it is sent again (RFC 3261 section 22.2). */
  get callId(): string {
    return this.#sent?.get('call-id') ?? '';
  }

  get from(): string {
    return this.#sent?.get('from') ?? '';
  }

  get sequence(): number {
    return Number.parseInt(this.#sent?.get('cseq') ?? '', 10);
  }

  /** The server knows the transaction by its id, also when the INVITE went out on a connection that is gone. */
  cancel(): void {
    this.#cancelled = true;
    if (!this.#sent) return;
    const { uri, stackTxnId } = this.#sent;
    // What became of the INVITE says more than an error of the CANCEL: a final response is always on its way.
    const cancel = () => this.#connection.send(uri, { method: 'CANCEL', stackTxnId }, () => undefined);
    if (this.#connection.up) cancel();
    else this.#connection.once('up', cancel);
  }

  /** Nobody waits for what becomes of it any more. */
  forget(): void {
    this.#connection.dialogs.delete(this.#dialogId);
  }

  #take(response: SrfResponse, acknowledge: Acknowledge): void {
    const tag = tagOf(response.get('to') ?? '');
    if (response.status < 200) this.#takeProvisional(response, tag, acknowledge);
    else if (response.status < 300) this.#takeAnswer(response, tag, acknowledge);
    else {
      this.#connection.dialogs.delete(this.#dialogId);
      this.#listener.failed(new SipFailure(asAnswer(response)));
    }
  }

  #takeProvisional(response: SrfResponse, tag: string, acknowledge: Acknowledge): void {
    const callee = this.#callees.get(tag) ?? { reliable: 0, sdp: '' };
    if (this.#callees.size < maxCallees) this.#callees.set(tag, callee);
    const reliable = Number(response.get('rseq') ?? 0);
    if (reliable > 0) {
      // RFC 3262 section 4: a repeated response is acknowledged already, one out of order is not to be.
      if (reliable <= callee.reliable || (callee.reliable > 0 && reliable !== callee.reliable + 1)) return;
      callee.reliable = reliable;
      acknowledge();
    }
    if (++this.#provisionals > maxProvisionals) return;
    this.#listen(response.stackDialogId);
    this.#listener.provisional(asAnswer(response));
    const { body = '' } = response;
    if (tag === '' || !isSdp(response) || body === callee.sdp) return;
    callee.sdp = body;
    this.#listener.early(body);
  }

  #takeAnswer(response: SrfResponse, tag: string, acknowledge: Acknowledge): void {
    const identity = {
      id: response.stackDialogId,
      callId: this.callId,
      localTag: tagOf(this.from),
      remoteTag: tag,
      initiator: true,
      allowed: readAllow(response.get('allow') ?? ''),
      target: parseNameAddr(response.get('contact') ?? '')?.uri ?? '',
      authenticator: this.#authenticator,
    };
    if (this.#dialogId !== identity.id) this.#connection.dialogs.delete(this.#dialogId);
    const dialog = new SipDialog(this.#connection, identity, (request) => this.#listener.request(request));
    // An answer that was given before, reliably, need not be repeated (RFC 6337 section 3.1).
    const sdp = isSdp(response) ? (response.body ?? '') : (this.#callees.get(tag)?.sdp ?? '');
    this.#listener.answered(dialog, asAnswer(response), sdp, this.#connection.confirming(acknowledge));
  }

  #listen(dialogId: string): void {
    if (dialogId === '' || dialogId === this.#dialogId) return;
    this.#dialogId = dialogId;
    this.#connection.dialogs.set(dialogId, (request) => this.#listener.request(request));
  }
}

/** Provisional responses to one INVITE that anybody hears of: more are a storm, which is not to be passed on to a client. */
const maxProvisionals = 100;

/** Callees of one INVITE that are told apart. */
const maxCallees = 32;

function isSdp(response: SrfResponse): boolean {
  return /^application\/sdp\b/i.test(response.get('content-type') ?? '') && (response.body ?? '') !== '';
}
