import type { Clock } from '../clock.js';
import type { SipCore } from '../core/core.js';
import type { SipLogger } from '../log.js';
import { Headers } from '../message/headers.js';
import type { SipRequest } from '../message/message.js';
import { parseSipUri } from '../message/uri.js';
import type { EmbeddedSipLimits } from '../options.js';
import type { TransactionUser, UserEvent } from '../transaction-user.js';
import type { LocalAddress } from '../transport/local-address.js';
import { EchoCall, type Respond } from './echo-call.js';

interface NumbersParts {
  readonly core: SipCore;
  readonly clock: Clock;
  readonly limits: EmbeddedSipLimits;
  readonly log: SipLogger;
  readonly local: LocalAddress;
}

export interface NumbersContext extends NumbersParts {
  readonly user: TransactionUser;
}

/** The numbers that always answer: ordinary transaction users, reached over the wire like any other. */
export class Numbers {
  readonly #local: LocalAddress;
  readonly #echo: EchoNumber;
  readonly #busy: BusyNumber;

  constructor(parts: NumbersParts) {
    this.#local = parts.local;
    this.#echo = new EchoNumber(parts);
    this.#busy = new BusyNumber(parts.core);
  }

  /** The number a request outside a dialog is for. */
  userFor(request: SipRequest): TransactionUser | undefined {
    const uri = parseSipUri(request.uri);
    // A REGISTER is about the address in its To, never about a number.
    if (!uri || request.method === 'REGISTER' || !this.#local.isOurs(uri.host)) return undefined;
    if (uri.user === 'echo') return this.#echo;
    return uri.user === 'busy' ? this.#busy : undefined;
  }

  async close(): Promise<void> {
    this.#echo.close();
  }
}

class BusyNumber implements TransactionUser {
  readonly alive = true;
  readonly #respond: Respond;

  constructor(core: SipCore) {
    this.#respond = responder(core);
  }

  receive(event: UserEvent): void {
    if (event.message.kind !== 'request') return;
    const { method } = event.message;
    if (method === 'INVITE') this.#respond(event, 486, 'Busy Here');
    else if (method === 'OPTIONS') this.#respond(event, 200, 'OK');
    else if (method !== 'ACK' && method !== 'CANCEL')
      this.#respond(event, 405, 'Method Not Allowed', [['Allow', 'INVITE, ACK, CANCEL, OPTIONS']]);
  }
}

class EchoNumber implements TransactionUser {
  readonly #context: NumbersContext;
  readonly #respond: Respond;
  readonly #calls = new Set<EchoCall>();
  #alive = true;

  constructor(parts: NumbersParts) {
    this.#context = { ...parts, user: this };
    this.#respond = responder(parts.core);
  }

  get alive(): boolean {
    return this.#alive;
  }

  receive(event: UserEvent): void {
    const { message } = event;
    if (message.kind !== 'request') return;
    const call =
      event.dialogId === '' ? undefined : [...this.#calls].find((other) => other.dialogId === event.dialogId);
    if (event.source === 'application') call?.hangUp('no ACK');
    else if (call) void call.receive(event, this.#respond);
    else if (event.dialogId === '' && message.method === 'INVITE') this.#invite(event);
    else if (message.method === 'OPTIONS') this.#respond(event, 200, 'OK', [['Accept', 'application/sdp']]);
    else if (message.method !== 'ACK' && message.method !== 'CANCEL')
      this.#respond(event, 405, 'Method Not Allowed', [['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS']]);
  }

  close(): void {
    this.#alive = false;
    for (const call of [...this.#calls]) call.hangUp('server closed');
  }

  #invite(event: UserEvent): void {
    if (this.#calls.size >= this.#context.limits.echoCalls) {
      this.#context.log({ event: 'limit-reached', limit: 'echoCalls', value: this.#calls.size });
      this.#respond(event, 486, 'Busy Here');
      return;
    }
    const call: EchoCall = new EchoCall(this.#context, event, () => this.#calls.delete(call));
    this.#calls.add(call);
    void call.start(event, this.#respond);
  }
}

function responder(core: SipCore): Respond {
  return (event, status, reason, headers = [], body = '') => {
    const result = core.respond(event.transactionId, { status, reason, headers: new Headers(headers), body });
    return result.ok ? result.dialogId : undefined;
  };
}
