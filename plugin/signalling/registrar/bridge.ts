import type { Termination } from '../../call/termination.js';
import type { SipDialog } from '../drachtio/dialog.js';
import type { Confirm } from '../drachtio/drachtio.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import { OrphanWatch } from '../in-call/orphan-watch.js';
import { reasonHeader } from '../outcome.js';
import type { SipContext } from '../sip-context.js';
import { requestHeaders, responseHeaders } from './passed-headers.js';

const serverError = 500;
const noSuchCall = 481;

/**
 * An answered call between two SIP phones: what one says within it is said to the other, and answered as that one answers.
 * Their media do not pass through here.
 */
export class Bridge {
  readonly #sides: readonly [SipDialog, SipDialog];
  readonly #over: (termination: Termination) => void;
  readonly #watches: readonly OrphanWatch[];
  /** What confirms the answer that a side has given to an INVITE of the other. */
  readonly #confirm = new Map<SipDialog, Confirm>();
  #ended = false;

  /** @param confirm Confirms the callee's answer, when the caller's ACK has the description that it waits for. */
  constructor(
    context: SipContext,
    { caller, callee, confirm }: { caller: SipDialog; callee: SipDialog; confirm: Confirm | undefined },
    over: (termination: Termination) => void,
  ) {
    this.#sides = [caller, callee];
    this.#over = over;
    if (confirm) this.#confirm.set(callee, confirm);
    const { connection, timers } = context;
    this.#watches = this.#sides.map(
      (dialog) => new OrphanWatch(dialog, connection, timers, (reason) => void this.end(reason)),
    );
  }

  fromCaller(request: ReceivedRequest): void {
    this.#pass(request, this.#sides[1]);
  }

  fromCallee(request: ReceivedRequest): void {
    this.#pass(request, this.#sides[0]);
  }

  /** Ends the call on both sides; resolves when both have confirmed that, or cannot be reached. */
  async end(reason: string): Promise<void> {
    if (this.#ended) return;
    this.#finish(reason);
    await Promise.all(this.#sides.map((dialog) => this.#bye(dialog, reasonHeader(reason))));
  }

  #pass(request: ReceivedRequest, to: SipDialog): void {
    if (this.#ended) {
      if (request.method !== 'ACK') request.respond(noSuchCall);
    } else if (request.method === 'ACK') {
      this.#confirmed(to, request.body);
    } else if (request.method === 'BYE') {
      request.respond(200);
      this.#finish(request.generated ? 'ended by the SIP server' : 'hung up by one of the phones');
      void this.#bye(to, request.header('reason'));
    } else {
      void this.#ask(request, to);
    }
  }

  async #ask(request: ReceivedRequest, to: SipDialog): Promise<void> {
    try {
      const body = request.body === '' ? undefined : request.body;
      const answer = await to.exchange(request.method, requestHeaders(request), body, (confirm) => {
        if (request.method === 'INVITE') this.#confirm.set(to, confirm);
      });
      const answerBody = answer.body === '' ? {} : { body: answer.body };
      request.respond(answer.status, { headers: responseHeaders(answer), ...answerBody });
    } catch {
      request.respond(serverError);
    }
  }

  #confirmed(by: SipDialog, body: string): void {
    const confirm = this.#confirm.get(by);
    this.#confirm.delete(by);
    void confirm?.(body === '' ? undefined : { body });
  }

  /** An answer has to be confirmed before its dialog can be ended (RFC 3261 section 15). */
  async #bye(dialog: SipDialog, reason: string): Promise<void> {
    this.#confirmed(dialog, '');
    await dialog.request('BYE', reason === '' ? {} : { Reason: reason }).catch(() => undefined);
  }

  #finish(reason: string): void {
    this.#ended = true;
    for (const watch of this.#watches) watch.close();
    for (const dialog of this.#sides) dialog.close();
    this.#over({ result: 'completed', reason });
  }
}
