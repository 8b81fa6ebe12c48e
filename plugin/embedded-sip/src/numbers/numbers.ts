import type { SipCore } from '../core/core.js';
import { Headers } from '../message/headers.js';
import type { SipRequest } from '../message/message.js';
import { parseSipUri } from '../message/uri.js';
import type { TransactionUser, UserEvent } from '../transaction-user.js';
import type { LocalAddress } from '../transport/local-address.js';
import { EchoMedia } from './echo-media.js';
import { musicFormats } from './music-formats.js';
import { MusicMedia } from './music-media.js';
import { MusicPlayer } from './music-player.js';
import { NumberCall, type Respond } from './number-call.js';
import type { NumberContext, NumbersParts, NumberTraits } from './number-context.js';

/** The numbers that always answer: ordinary transaction users, reached over the wire like any other. */
export class Numbers {
  readonly #local: LocalAddress;
  readonly #answering: ReadonlyMap<string, AnsweringNumber>;
  readonly #busy: BusyNumber;

  constructor(parts: NumbersParts) {
    this.#local = parts.local;
    this.#answering = new Map(
      [echo(parts), music(parts)].map((traits) => [traits.name, new AnsweringNumber(parts, traits)]),
    );
    this.#busy = new BusyNumber(parts.core);
  }

  /** The number a request outside a dialog is for. */
  userFor(request: SipRequest): TransactionUser | undefined {
    const uri = parseSipUri(request.uri);
    // A REGISTER is about the address in its To, never about a number.
    if (!uri || request.method === 'REGISTER' || !this.#local.isOurs(uri.host)) return undefined;
    return uri.user === 'busy' ? this.#busy : this.#answering.get(uri.user ?? '');
  }

  close(): void {
    for (const number of this.#answering.values()) number.close();
  }
}

function echo({ limits, local }: NumbersParts): NumberTraits {
  return {
    ...{ name: 'echo', limit: 'echoCalls', calls: limits.echoCalls, callMs: limits.echoCallMs },
    openMedia: (address, onPacket) => new EchoMedia(address, local.bound, onPacket),
  };
}

function music({ limits, local, clock, speexEncoder }: NumbersParts): NumberTraits {
  const shared = { player: new MusicPlayer(clock), formats: musicFormats(speexEncoder) };
  return {
    ...{ name: 'music', limit: 'musicCalls', calls: limits.musicCalls, callMs: limits.musicCallMs },
    openMedia: (address) => new MusicMedia({ ...shared, address, bind: local.bound }),
  };
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

class AnsweringNumber implements TransactionUser {
  readonly #context: NumberContext;
  readonly #respond: Respond;
  readonly #calls = new Set<NumberCall>();
  #alive = true;

  constructor(parts: NumbersParts, traits: NumberTraits) {
    this.#context = { ...parts, ...traits, user: this };
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
    const { calls, limit, log } = this.#context;
    if (this.#calls.size >= calls) {
      log({ event: 'limit-reached', limit, value: calls });
      this.#respond(event, 486, 'Busy Here');
      return;
    }
    const call: NumberCall = new NumberCall(this.#context, event, () => this.#calls.delete(call));
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
