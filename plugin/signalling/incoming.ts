import type { Caller, IncomingInvite, SignallingEvent } from '../call/ports.js';
import type { SessionDescription } from '../call/session-description.js';
import type { DrachtioConnection, ReceivedInvite, SipDialog } from './drachtio.js';
import { failure, reasonHeader } from './outcome.js';
import { parseSdp, writeSdp } from './sdp.js';

/** One incoming INVITE and the dialog that may come of it. */
export class Invited implements IncomingInvite {
  readonly callId: string;
  readonly caller: Caller;
  readonly offer: SessionDescription | undefined;
  readonly #invite: ReceivedInvite;
  readonly #connection: DrachtioConnection;
  #listener: (event: SignallingEvent) => void = () => {};
  #dialog: SipDialog | undefined;
  /** Why to end the call as soon as it is established. */
  #leaving: { readonly reason: string | undefined } | undefined;
  #settled = false;

  constructor(invite: ReceivedInvite, connection: DrachtioConnection, callId: string) {
    const { called, from, displayName, sdp } = invite;
    this.callId = callId;
    this.caller = { called, from, ...(displayName !== undefined && { displayName }) };
    this.offer = sdp === '' ? undefined : parseSdp(sdp);
    this.#invite = invite;
    this.#connection = connection;
    connection.on('down', this.#connectionLost);
    invite.onCancel(() =>
      this.#settle({ type: 'failed', termination: { result: 'cancelled', reason: 'cancelled by the caller' } }),
    );
  }

  listen(listener: (event: SignallingEvent) => void): void {
    this.#listener = listener;
  }

  ring(): void {
    if (!this.#settled) this.#invite.respond(180);
  }

  answer(answer: SessionDescription): void {
    if (this.#settled) return;
    this.#invite.answer(writeSdp(answer)).then(
      (dialog) => this.#established(dialog),
      (error: unknown) => this.#settle({ type: 'failed', termination: failure(error) }),
    );
  }

  reject(sipStatus: number): void {
    if (this.#settled) return;
    this.#release();
    this.#invite.respond(sipStatus);
  }

  bye(reason?: string): void {
    if (!this.#dialog) {
      this.#leaving = { reason };
      return;
    }
    const headers: Record<string, string> = reason === undefined ? {} : { Reason: reasonHeader(reason) };
    this.#dialog.bye(headers).then(
      () => this.#settle({ type: 'ended', termination: { result: 'completed', reason: 'call ended' } }),
      (error: unknown) => this.#settle({ type: 'ended', termination: failure(error) }),
    );
  }

  #established(dialog: SipDialog): void {
    this.#dialog = dialog;
    dialog.onBye(() =>
      this.#settle({ type: 'ended', termination: { result: 'completed', reason: 'hung up by the far end' } }),
    );
    if (this.#leaving) this.bye(this.#leaving.reason);
    else if (!this.#settled) this.#listener({ type: 'established' });
  }

  /** The caller cannot be answered any more; an established call goes on without its signalling. */
  readonly #connectionLost = (reason: string): void => {
    if (this.#dialog) return;
    this.#settle({
      type: 'failed',
      termination: { result: 'signalling-failed', reason: `drachtio server lost: ${reason}` },
    });
  };

  #settle(event: SignallingEvent): void {
    if (this.#settled) return;
    this.#release();
    this.#listener(event);
  }

  #release(): void {
    this.#settled = true;
    this.#connection.off('down', this.#connectionLost);
  }
}
