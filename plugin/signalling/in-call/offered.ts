import type { InCallEvent } from '../../call/ports.js';
import type { SessionDescription } from '../../call/session-description.js';
import { capabilities } from '../drachtio/capabilities.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import { parseSdp } from '../sdp/sdp.js';
import type { Origin } from './origin.js';
import type { Reoffer } from './reoffer.js';
import { isTooShort, minInterval, refreshHeaders, type SessionTimer, termsOfRequest } from './session-timer.js';

export interface OfferedOptions {
  readonly origin: Origin;
  readonly reoffer: Reoffer;
  readonly timer: SessionTimer;
  readonly tell: (event: InCallEvent) => void;
}

const requestPending = 491;
const tooSoon = 500;
const intervalTooSmall = 422;

/** The far end's offers in one dialog, by re-INVITE or UPDATE, one at a time (RFC 3261 section 14.2, RFC 3311). */
export class Offered {
  readonly #options: OfferedOptions;
  #request: ReceivedRequest | undefined;
  /** Takes the answer that is to come in an ACK. */
  #awaited: ((answer: SessionDescription) => void) | undefined;

  constructor(options: OfferedOptions) {
    this.#options = options;
  }

  awaitAnswer(take: (answer: SessionDescription) => void): void {
    this.#awaited = take;
  }

  /** A re-INVITE or an UPDATE. */
  receive(request: ReceivedRequest): void {
    const { reoffer, tell } = this.#options;
    const expires = request.header('session-expires');
    if (isTooShort(expires)) {
      request.respond(intervalTooSmall, { headers: { 'Min-SE': String(minInterval) } });
      return;
    }
    const hasOffer = request.body !== '';
    if (request.method === 'UPDATE' && !hasOffer) {
      request.respond(200, { headers: this.#headers(request) });
      return;
    }
    if (reoffer.pending) {
      request.respond(requestPending);
      return;
    }
    if (this.#request || this.#awaited) {
      request.respond(tooSoon, { headers: { 'Retry-After': '1' } });
      return;
    }
    this.#request = request;
    tell(hasOffer ? { type: 'offered', offer: parseSdp(request.body) } : { type: 'offered' });
  }

  accept(description: SessionDescription): void {
    const request = this.#request;
    if (!request) return;
    this.#request = undefined;
    // An offer of ours: the answer comes in the ACK (RFC 3261 section 13.2.1).
    if (request.body === '') this.#awaited = (answer) => this.#options.tell({ type: 'described', answer });
    request.respond(200, { headers: this.#headers(request), body: this.#options.origin.write(description) });
  }

  refuse(sipStatus: number): void {
    this.#request?.respond(sipStatus);
    this.#request = undefined;
  }

  /** An ACK. Without a description where one is due there is nothing that the media could follow. */
  acknowledged(request: ReceivedRequest): void {
    const take = this.#awaited;
    this.#awaited = undefined;
    take?.(parseSdp(request.body));
  }

  #headers(request: ReceivedRequest): Readonly<Record<string, string>> {
    const { timer } = this.#options;
    const terms = termsOfRequest(request.header('session-expires'), request.header('supported'));
    if (terms) timer.restart(terms);
    return {
      ...capabilities,
      ...(terms && { ...refreshHeaders(terms, false), ...(!terms.ours && { Require: 'timer' }) }),
    };
  }
}
