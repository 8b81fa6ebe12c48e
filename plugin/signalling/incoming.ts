import { randomUUID } from 'node:crypto';
import type { Caller, IncomingInvite, SignallingEvent } from '../call/ports.js';
import type { SessionDescription } from '../call/session-description.js';
import { capabilities } from './drachtio/capabilities.js';
import type { SipDialog } from './drachtio/dialog.js';
import type { ReceivedInvite } from './drachtio/received-invite.js';
import { CallSide } from './in-call/call-side.js';
import { refreshHeaders, termsOfRequest } from './in-call/session-timer.js';
import { cancelledByCaller, unanswerable } from './outcome.js';
import { parseSdp } from './sdp/sdp.js';
import type { SipContext } from './sip-context.js';

/** One incoming INVITE and the call that may come of it. */
export class Invited extends CallSide implements IncomingInvite {
  readonly callId = randomUUID();
  readonly caller: Caller;
  readonly offer: SessionDescription | undefined;
  readonly #invite: ReceivedInvite;
  #listener: (event: SignallingEvent) => void = () => {};
  /** Why to end the call as soon as it is established. */
  #leaving: { readonly reason: string | undefined } | undefined;

  constructor(context: SipContext, invite: ReceivedInvite) {
    super(context);
    const { called, from, displayName, sdp } = invite;
    this.caller = { called, from, ...(displayName !== undefined && { displayName }) };
    this.offer = sdp === '' ? undefined : parseSdp(sdp);
    this.#invite = invite;
    invite.onRequest((request) => this.receive(request));
    invite.request.onCancel(() => this.settle({ type: 'failed', termination: cancelledByCaller }));
  }

  listen(listener: (event: SignallingEvent) => void): void {
    this.#listener = listener;
  }

  /** Repeated until it is confirmed where the caller insists on that (RFC 3262 section 3). */
  ring(): void {
    if (this.settled) return;
    const reliably = hasOption(this.#invite.request.header('require'), '100rel');
    this.#invite.respond(180, { ...capabilities, ...(reliably && { Require: '100rel' }) });
  }

  answer(description: SessionDescription): void {
    if (this.settled) return;
    const { request } = this.#invite;
    const terms = termsOfRequest(request.header('session-expires'), request.header('supported'));
    const timer = terms && { ...refreshHeaders(terms, false), ...(!terms.ours && { Require: 'timer' }) };
    this.#invite.answer(this.origin.write(description), { ...capabilities, ...timer }, (dialog) => {
      if (dialog instanceof Error) this.settle({ type: 'failed', termination: unanswerable(dialog) });
      else this.#established(dialog);
    });
  }

  reject(sipStatus: number): void {
    if (this.settled) return;
    this.release();
    this.#invite.respond(sipStatus);
  }

  bye(reason?: string): void {
    if (this.leg) this.leg.bye(reason);
    else this.#leaving = { reason };
  }

  /** Somebody else answers or refuses the INVITE: from now on nothing of it concerns this. */
  handOver(): ReceivedInvite {
    this.release();
    return this.#invite;
  }

  protected override tell(event: SignallingEvent): void {
    this.#listener(event);
  }

  /** The caller cannot be answered any more. */
  protected override connectionLost(reason: string): void {
    this.#invite.close();
    this.settle({ type: 'failed', termination: { result: 'signalling-failed', reason } });
  }

  protected override settle(event: SignallingEvent): void {
    if (!this.settled && event.type === 'failed') this.#invite.close();
    super.settle(event);
  }

  #established(dialog: SipDialog): void {
    const { request, called } = this.#invite;
    const terms = termsOfRequest(request.header('session-expires'), request.header('supported'));
    const leg = this.open(
      dialog,
      request.uri.replace(/^(sips?:[^;?]*).*$/is, '$1') || `sip:${called}@localhost`,
      terms,
    );
    if (this.#leaving) this.bye(this.#leaving.reason);
    else if (this.offer) this.#listener({ type: 'established' });
    else leg.awaitAnswer((answer) => this.#listener({ type: 'established', answer }));
  }
}

/** Whether a list of option tags has this one. */
function hasOption(header: string, option: string): boolean {
  return header
    .toLowerCase()
    .split(',')
    .some((tag) => tag.trim() === option);
}
