import type { SipResponse } from '../../message/message.js';
import { type ClientFailure, InviteClientTransaction } from '../../transaction/invite-client.js';
import { NonInviteClientTransaction } from '../../transaction/non-invite-client.js';
import type { Flow, Target } from '../../transport/types.js';
import type { CoreContext } from '../context.js';
import { type Forwarding, forwardedRequest, hopByHop } from './forwarded.js';

export interface BranchEvents {
  /** Every response but 100, each repetition of a 2xx included. */
  onResponse(branch: Branch, response: SipResponse, flow: Flow): void;
  /** There will be no final response. */
  onFailed(branch: Branch, failure: ClientFailure): void;
  onTerminated(branch: Branch): void;
}

/** A request passed on to one target: a client transaction whose responses go back to whoever sent the request. */
export class Branch {
  readonly id: string;
  readonly #context: CoreContext;
  readonly #forwarding: Forwarding;
  readonly #target: Target;
  readonly #text: string;
  readonly #transaction: InviteClientTransaction | NonInviteClientTransaction;
  #flow: Flow | undefined;
  #settled = false;
  #provisional = false;
  #cancel: 'no' | 'wanted' | 'sent' = 'no';

  constructor(context: CoreContext, forwarding: Forwarding, target: Target, events: BranchEvents) {
    this.id = forwarding.branch;
    this.#context = context;
    this.#forwarding = forwarding;
    this.#target = target;
    this.#text = forwardedRequest(forwarding);
    const parts = {
      clock: context.clock,
      reliable: target.protocol === 'tcp',
      sendRequest: () => context.transport.send(this.#text, target),
      onResponse: (response: SipResponse) => {
        if (this.#flow) this.#receive(response, this.#flow, events);
      },
      onFailure: (failure: ClientFailure) => {
        this.#settled = true;
        events.onFailed(this, failure);
      },
      onTerminated: () => {
        context.budget.remove(this.#text.length);
        events.onTerminated(this);
      },
    };
    this.#transaction =
      forwarding.request.method === 'INVITE'
        ? new InviteClientTransaction({
            ...parts,
            sendAck: (response) => context.transport.send(hopByHop('ACK', forwarding, toOf(response)), target),
            onRingTimeout: () => this.cancel(),
          })
        : new NonInviteClientTransaction(parts);
  }

  /** A final response has come, or there will be none. */
  get settled(): boolean {
    return this.#settled;
  }

  get ringing(): boolean {
    return this.#provisional;
  }

  get target(): Target {
    return this.#target;
  }

  start(): void {
    this.#context.budget.add(this.#text.length);
    this.#transaction.start();
  }

  receive(response: SipResponse, flow: Flow): void {
    // The answer to a CANCEL of ours is nobody's concern.
    if (response.cseq.method !== this.#forwarding.request.method) return;
    this.#flow = flow;
    this.#transaction.receive(response);
  }

  transportFailed(): void {
    this.#transaction.transportFailed();
  }

  /** Cancels an INVITE, at once or as soon as its first provisional response is here (section 9.1). */
  cancel(): void {
    if (this.#settled || this.#cancel === 'sent' || !(this.#transaction instanceof InviteClientTransaction)) return;
    this.#cancel = this.#provisional ? 'sent' : 'wanted';
    if (this.#cancel === 'wanted') return;
    this.#transaction.cancelled();
    this.#context.transport.send(hopByHop('CANCEL', this.#forwarding, toOf(this.#forwarding.request)), this.#target);
  }

  terminate(): void {
    this.#transaction.terminate();
  }

  #receive(response: SipResponse, flow: Flow, events: BranchEvents): void {
    if (response.status < 200) {
      this.#provisional = true;
      if (this.#cancel === 'wanted') this.cancel();
    } else this.#settled = true;
    if (response.status !== 100) events.onResponse(this, response, flow);
  }
}

function toOf({ headers }: Pick<SipResponse, 'headers'>): string {
  return headers.get('to') ?? '';
}
