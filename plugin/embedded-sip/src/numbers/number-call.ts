import type { ScheduledCall } from '../clock.js';
import { Headers } from '../message/headers.js';
import type { UserEvent } from '../transaction-user.js';
import type { NumberContext } from './number-context.js';
import type { NumberMedia } from './number-media.js';
import { refusalOf } from './refusal.js';

/** Header of every answer in a call. */
const ALLOW: [string, string] = ['Allow', 'INVITE, ACK, BYE, CANCEL, INFO, OPTIONS, UPDATE'];

/** One call to a number that answers. */
export class NumberCall {
  readonly #context: NumberContext;
  readonly #media: NumberMedia;
  readonly #callId: string;
  readonly #onEnd: () => void;
  #dialogId = '';
  #silence: ScheduledCall | undefined;
  #longest: ScheduledCall | undefined;
  /** Our offer waits for the answer in the ACK. */
  #offering = false;
  #lastPacket: number;
  #ended = false;

  constructor(context: NumberContext, invite: UserEvent, onEnd: () => void) {
    const { local, clock } = context;
    this.#context = context;
    this.#callId = invite.message.callId;
    this.#onEnd = onEnd;
    this.#lastPacket = clock.now();
    this.#media = context.openMedia(local.facing(invite.address), () => {
      this.#lastPacket = clock.now();
    });
  }

  get dialogId(): string {
    return this.#dialogId;
  }

  /** Answers the INVITE at once. */
  async start(invite: UserEvent, respond: Respond): Promise<void> {
    const accepted = await this.#answerOffer(invite, respond);
    if (!accepted || this.#ended) {
      this.#finish();
      return;
    }
    this.#longest = this.#context.clock.schedule(this.#context.callMs, () => this.hangUp('longest call'));
    this.#watchSilence();
  }

  /** A request in the call's dialog. */
  async receive(event: UserEvent, respond: Respond): Promise<void> {
    const { message } = event;
    if (message.kind !== 'request') return;
    switch (message.method) {
      case 'ACK':
        if (this.#offering && !this.#media.accept(message.body)) this.hangUp('no common media');
        else this.#media.start();
        this.#offering = false;
        return;
      case 'BYE':
        respond(event, 200, 'OK');
        this.#finish();
        return;
      case 'INVITE':
      case 'UPDATE':
        if (message.method === 'UPDATE' && message.body === '') respond(event, 200, 'OK', [ALLOW]);
        else await this.#answerOffer(event, respond);
        return;
      default:
        respond(event, 200, 'OK', [ALLOW]);
    }
  }

  /** Ends the call from our side. */
  hangUp(reason: string): void {
    if (this.#ended) return;
    const { log, name } = this.#context;
    log({ event: 'number-ended', number: name, reason, callId: this.#callId });
    const dialogId = this.#dialogId;
    this.#finish();
    if (dialogId === '') return;
    const headers = new Headers([['Reason', `SIP;cause=200;text="${reason}"`]]);
    this.#context.core.request(
      this.#context.user,
      { method: 'BYE', uri: 'sip:placeholder', headers, body: '', dialogId },
      () => undefined,
    );
  }

  /** The call is over for the other side, or was never made. */
  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#silence?.cancel();
    this.#longest?.cancel();
    this.#media.close();
    this.#onEnd();
  }

  async #answerOffer(event: UserEvent, respond: Respond): Promise<boolean> {
    const { message } = event;
    const refusal = message.kind === 'request' ? refusalOf(message) : undefined;
    if (refusal) {
      respond(event, refusal.status, refusal.reason, refusal.headers);
      return false;
    }
    const { body } = message;
    const sdp = await (body === '' ? this.#media.offer() : this.#media.answer(body)).catch(() => null);
    if (sdp === null) respond(event, 503, 'Service Unavailable');
    else if (sdp === undefined) respond(event, 488, 'Not Acceptable Here');
    if (!sdp) return false;
    this.#offering = body === '';
    const dialogId = respond(event, 200, 'OK', [ALLOW], sdp);
    if (dialogId === undefined) return false;
    if (dialogId !== '') this.#dialogId = dialogId;
    return true;
  }

  #watchSilence(): void {
    const { clock, limits } = this.#context;
    const left = this.#lastPacket + limits.echoSilenceMs - clock.now();
    if (left <= 0 && this.#media.expectsMedia) {
      this.hangUp('no media');
      return;
    }
    this.#silence = clock.schedule(left > 0 ? left : limits.echoSilenceMs, () => this.#watchSilence());
  }
}

/** Sends a response; gives the dialog's id, or undefined when it could not be sent. */
export type Respond = (
  event: UserEvent,
  status: number,
  reason: string,
  headers?: readonly (readonly [string, string])[],
  body?: string,
) => string | undefined;
