import type { InviteRequest, OutgoingInvite, SignallingEvent } from '../call/ports.js';
import { addressOf, headersOf, requestUri } from './addresses/dial-string.js';
import { Authenticator } from './drachtio/authenticator.js';
import { capabilities } from './drachtio/capabilities.js';
import type { SipDialog } from './drachtio/dialog.js';
import type { Confirm } from './drachtio/drachtio.js';
import type { ReceivedRequest } from './drachtio/received-request.js';
import { SentInvite } from './drachtio/sent-invite.js';
import { type SipAnswer, SipFailure } from './drachtio/sip-answer.js';
import { CallSide } from './in-call/call-side.js';
import { askForTimer, intervalAfter422, termsOfAnswer } from './in-call/session-timer.js';
import { failure } from './outcome.js';
import { Redirects } from './redirects.js';
import { parseSdp } from './sdp/sdp.js';
import type { SipContext } from './sip-context.js';

/** Times that one INVITE is sent again for a session timer: each time with a longer interval. */
const maxIntervalRetries = 2;

/** One outgoing INVITE, with what it takes to get a final response, and the call that may come of it. */
export class Invitation extends CallSide implements OutgoingInvite {
  readonly #request: InviteRequest;
  readonly #from: string;
  readonly #listener: (event: SignallingEvent) => void;
  readonly #redirects: Redirects;
  #authenticator: Authenticator;
  #uri: string;
  #interval: number | undefined;
  #intervalRetries = 0;
  #sent: SentInvite | undefined;
  #cancelled = false;
  #sdp = '';
  /** The description of an answer that is still to be told. */
  #answer: string | undefined;

  /** @param from The value of From. */
  constructor(context: SipContext, request: InviteRequest, from: string, listener: (event: SignallingEvent) => void) {
    super(context);
    this.#request = request;
    this.#from = from;
    this.#listener = listener;
    this.#authenticator = new Authenticator(request.credentials);
    this.#uri = requestUri(request.uri);
    this.#redirects = new Redirects(request.uri, (uri) => context.resolve(uri, request.from));
    // Events never reach the caller before it has this object.
    queueMicrotask(() => this.#begin());
  }

  cancel(): void {
    this.#cancelled = true;
    this.#sent?.cancel();
  }

  bye(reason?: string): void {
    this.leg?.bye(reason);
  }

  protected override tell(event: SignallingEvent): void {
    this.#tellAnswer();
    this.#listener(event);
  }

  /** There is no answer to come any more, and the far end is not to ring on. */
  protected override connectionLost(reason: string): void {
    this.cancel();
    this.#sent?.forget();
    this.settle({ type: 'failed', termination: { result: 'signalling-failed', reason } });
  }

  /** An early offer of the callee takes the place of its first description. */
  protected override updatedEarly(request: ReceivedRequest): void {
    if (request.body === '') {
      request.respond(200);
      return;
    }
    this.#early(request.body);
    request.respond(200, { body: this.#sdp });
  }

  #begin(): void {
    if (this.settled) return;
    this.#sdp = this.origin.write(this.#request.offer);
    this.#send({ From: this.#from, To: addressOf(this.#request.uri) });
  }

  #send(more: Readonly<Record<string, string>>): void {
    const { replaces, referredBy } = this.#request.referral ?? {};
    const headers = {
      ...headersOf(this.#request.uri),
      ...more,
      ...capabilities,
      ...askForTimer(this.#interval),
      ...this.#contact(),
      ...(replaces !== undefined && { Replaces: replaces, Require: 'replaces' }),
      ...(referredBy !== undefined && { 'Referred-By': referredBy }),
    };
    const options = {
      ...{ headers, sdp: this.#sdp, authenticator: this.#authenticator },
      proxy: this.context.nextHop(this.#uri, this.#request.from),
    };
    this.#sent = new SentInvite(this.context.connection, this.#uri, options, {
      provisional: ({ status, reason }) => {
        if (!this.settled) this.#listener({ type: 'provisional', status, reason });
      },
      early: (sdp) => this.#early(sdp),
      answered: (dialog, answer, sdp, confirm) => void this.#answered(dialog, answer, sdp, confirm),
      failed: (error) => this.#failed(error),
      request: (request) => this.receive(request),
    });
    if (this.#cancelled) this.#sent.cancel();
  }

  /** Who is called by a sips URI is to answer to one (RFC 3261 section 8.1.1.8); a drachtio server would give a sip URI. */
  #contact(): Readonly<Record<string, string>> {
    const { secureAddress } = this.context.connection;
    return this.#uri.startsWith('sips:') && secureAddress !== undefined ? { Contact: `<sips:${secureAddress}>` } : {};
  }

  #early(sdp: string): void {
    if (!this.settled && !this.leg) this.#listener({ type: 'early', answer: parseSdp(sdp) });
  }

  async #answered(dialog: SipDialog, answer: SipAnswer, sdp: string, confirm: Confirm): Promise<void> {
    const terms = termsOfAnswer(answer.header('session-expires'));
    this.open(dialog, this.#request.from, terms);
    this.#answer = sdp;
    // Phones drop what they are sent before they have our ACK: a picture to begin with would be lost.
    await confirm();
    this.#tellAnswer();
  }

  /** The call may be over for the one who made it: an answer is told all the same, and then gets its BYE. */
  #tellAnswer(): void {
    const sdp = this.#answer;
    if (sdp === undefined) return;
    this.#answer = undefined;
    this.#listener({ type: 'answered', answer: parseSdp(sdp) });
  }

  #failed(error: Error): void {
    const again = error instanceof SipFailure && !this.#cancelled && !this.settled && this.#retry(error.answer);
    if (!again) this.settle({ type: 'failed', termination: failure(error) });
  }

  /** Whether the INVITE goes out once more, after a challenge, a redirection or a longer session interval. */
  #retry(answer: SipAnswer): boolean {
    const again = this.#sequel();
    if (answer.status === 422) {
      this.#interval = intervalAfter422(answer.header('min-se'));
      if (this.#interval === undefined || ++this.#intervalRetries > maxIntervalRetries) return false;
    } else if (answer.status >= 300 && answer.status < 400) {
      const target = this.#redirects.next(answer);
      if (target === undefined) return false;
      this.#uri = requestUri(target);
      // Another server, which is owed no answer to the first one's challenge.
      this.#authenticator = new Authenticator(this.#request.credentials);
    } else if (!this.#authenticator.challenged(answer)) {
      return this.#tryNext(answer, again);
    }
    this.#send({ ...again, ...this.#authenticator.headers('INVITE', this.#uri) });
    return true;
  }

  /** One of several addresses of a redirection does not answer: the next may. */
  #tryNext(answer: SipAnswer, again: Readonly<Record<string, string>>): boolean {
    const target = answer.status < 600 ? this.#redirects.alternative() : undefined;
    if (target === undefined) return false;
    this.#uri = requestUri(target);
    this.#send(again);
    return true;
  }

  /** What the same INVITE keeps when it is sent again (RFC 3261 section 8.1.3.4, 22.2). */
  #sequel(): Readonly<Record<string, string>> {
    const { callId = '', from = this.#from, sequence = 0 } = this.#sent ?? {};
    return { From: from, To: addressOf(this.#request.uri), 'Call-ID': callId, CSeq: `${sequence + 1} INVITE` };
  }
}
