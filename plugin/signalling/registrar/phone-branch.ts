import { requestUri } from '../addresses/dial-string.js';
import { hostPortOf } from '../addresses/host-port.js';
import { withoutTag } from '../addresses/name-addr.js';
import { Authenticator } from '../drachtio/authenticator.js';
import type { SipDialog } from '../drachtio/dialog.js';
import type { Confirm } from '../drachtio/drachtio.js';
import type { ReceivedInvite } from '../drachtio/received-invite.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import { SentInvite } from '../drachtio/sent-invite.js';
import { type SipAnswer, SipFailure } from '../drachtio/sip-answer.js';
import type { SipContext } from '../sip-context.js';
import type { Binding } from './bindings.js';
import { requestHeaders } from './passed-headers.js';

export interface PhoneAnswer {
  readonly dialog: SipDialog;
  readonly answer: SipAnswer;
  readonly sdp: string;
  readonly confirm: Confirm;
}

export interface PhoneBranchListener {
  ringing(answer: SipAnswer): void;
  early(sdp: string): void;
  answered(answer: PhoneAnswer): void;
  refused(status: number, answer?: SipAnswer): void;
}

const unavailable = 503;
const noSuchCall = 481;

/** One registered SIP phone, as one of several that an INVITE reaches. */
export class PhoneBranch {
  readonly #sent: SentInvite;
  /** Takes the requests of the phone once there is a call. */
  #receive: (request: ReceivedRequest) => void = early;

  constructor(context: SipContext, invite: ReceivedInvite, binding: Binding, listener: PhoneBranchListener) {
    const { request } = invite;
    const headers = {
      ...requestHeaders(request),
      From: withoutTag(request.header('from')),
      To: request.header('to'),
      'Max-Forwards': String(hopsLeft(request)),
    };
    const options = {
      ...{ headers, sdp: request.body, authenticator: new Authenticator(undefined), proxy: behindNat(binding) },
    };
    this.#sent = new SentInvite(context.connection, requestUri(binding.uri), options, {
      provisional: (answer) => listener.ringing(answer),
      early: (sdp) => listener.early(sdp),
      answered: (dialog, answer, sdp, confirm) => listener.answered({ dialog, answer, sdp, confirm }),
      failed: (error) => {
        if (error instanceof SipFailure) listener.refused(error.answer.status, error.answer);
        else listener.refused(unavailable);
      },
      request: (received) => this.#receive(received),
    });
  }

  /** Who takes the phone's requests from now on. */
  onRequest(receive: (request: ReceivedRequest) => void): void {
    this.#receive = receive;
  }

  cancel(): void {
    this.#sent.cancel();
  }
}

/** How many more servers a request may pass (RFC 3261 section 16.6 step 3). */
export function hopsLeft(request: ReceivedRequest): number {
  const given = Number.parseInt(request.header('max-forwards'), 10);
  return (Number.isNaN(given) ? 70 : Math.min(given, 70)) - 1;
}

function early(request: ReceivedRequest): void {
  if (request.method === 'PRACK') request.respond(200);
  else if (request.method === 'UPDATE') request.respond(500, { headers: { 'Retry-After': '2' } });
  else if (request.method !== 'ACK') request.respond(noSuchCall);
}

/** A phone whose Contact names another host than it registered from is reached where it registered from, over UDP. */
function behindNat({ uri, source }: Binding): string | undefined {
  if (source.transport !== 'udp' || hostPortOf(uri)?.host === source.address) return undefined;
  return `sip:${source.address}:${source.port};transport=udp`;
}
