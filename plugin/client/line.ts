import { randomUUID } from 'node:crypto';
import type { CallPorts } from '../call/call-ports.js';
import type {
  ClientFrame,
  IncomingInvite,
  MessagePort,
  RegistrarAddress,
  RegistrationPort,
  TextMessage,
} from '../call/ports.js';
import type { CallRegistry } from '../call/registry.js';
import type { Termination } from '../call/termination.js';
import {
  type CallWish,
  type DialOutcome,
  type DialRefusal,
  noServer,
  type PhoneLine,
  type Refusal,
  type RegistrationWish,
} from './dialects/dialect.js';
import { LineCalls } from './line-calls.js';
import type { LineClient } from './line-client.js';
import { LineRegistration, type Self } from './line-registration.js';

export interface LineOptions {
  /** Everything a call needs but its client. */
  readonly ports: Omit<CallPorts, 'client'>;
  readonly calls: CallRegistry;
  /** Host part of the address that a line makes up for itself; none while there is no SIP server. */
  readonly domain: () => string | undefined;
  readonly registrations: RegistrationPort;
  readonly messages: MessagePort;
  /** How long the client may ring before its caller is told that nobody answers. */
  readonly ringTimeMs: number;
  /** Whole milliseconds, from any origin. Default the system's. */
  readonly now?: () => number;
}

const busyHere = 486;
const temporarilyUnavailable = 480;

const noCall: Refusal = { description: 'there is no call that is answered' };
const noTransfer: Refusal = { description: 'there is no call that is answered and not being transferred already' };
const noOther: Refusal = { description: 'there is no held call to change to' };

const wholeMilliseconds = (): number => Math.trunc(performance.now());

/** One connection is one line: an address, and its calls. */
export class Line implements PhoneLine {
  readonly #options: LineOptions;
  readonly #client: LineClient;
  readonly #registration: LineRegistration;
  readonly #calls: LineCalls;

  constructor(client: LineClient, options: LineOptions) {
    const { ports, calls, registrations, domain, now = wholeMilliseconds } = options;
    this.#options = options;
    this.#client = client;
    this.#registration = new LineRegistration(registrations, domain);
    this.#calls = new LineCalls({ ports, calls, client, name: () => this.#registration.name, now });
  }

  /** User part of the made-up address: what calls to this line are for. */
  get user(): string {
    return this.#registration.user;
  }

  get address(): string | undefined {
    return this.#registration.address;
  }

  home(domain: string | undefined): RegistrarAddress | undefined {
    return this.#registration.home(domain);
  }

  registerMadeUp(lost: (reason: string) => void): string | undefined {
    return this.#registration.registerMadeUp(lost);
  }

  register(wish: RegistrationWish, lost: (reason: string) => void): Promise<void> {
    return this.#registration.register(wish, lost);
  }

  unregister(): void {
    this.#registration.unregister();
  }

  /** Whether what the client sends reaches somebody. */
  get connected(): boolean {
    return this.#calls.active?.connected === true;
  }

  check(destination: string): DialOutcome {
    const planned = this.#plan(destination);
    return 'code' in planned ? planned : undefined;
  }

  dial(destination: string, { video = false }: CallWish = {}): DialOutcome {
    const target = this.#plan(destination);
    if ('code' in target) return target;
    this.#calls.begin({ direction: 'outgoing', id: randomUUID(), ...target }, video);
    return undefined;
  }

  /** Whom to call, as whom; or why it cannot be. */
  #plan(destination: string): ({ readonly uri: string } & Self) | DialRefusal {
    const { ports, calls } = this.#options;
    if (calls.closed) return { code: 'failed', description: 'the gateway is shutting down' };
    if (this.#calls.active) return { code: 'existing', description: 'a call is up or being set up; hang up first' };
    const { self } = this.#registration;
    if (self === undefined) return { code: 'failed', description: noServer };
    const target = ports.signalling.resolve(destination, self.from);
    return 'refusal' in target ? { code: 'failed', description: target.refusal } : { uri: target.uri, ...self };
  }

  /** Somebody calls this line. */
  incoming(invite: IncomingInvite): void {
    const { calls, ringTimeMs } = this.#options;
    const { self } = this.#registration;
    if (calls.closed || self === undefined) invite.reject(temporarilyUnavailable);
    else if (!this.#calls.free) invite.reject(busyHere);
    else this.#calls.begin({ direction: 'incoming', invite, ringTimeMs, ...self });
  }

  /** Somebody sends this line a text. */
  message(message: TextMessage): void {
    this.#client.notice({ type: 'message', message });
  }

  accept({ video = false }: CallWish = {}): void {
    this.#calls.accept(video);
  }

  decline(sipStatus: number): void {
    this.#calls.decline(sipStatus);
  }

  hangup(): void {
    this.#calls.hangup();
  }

  callWaiting(on: boolean): void {
    this.#calls.callWaiting = on;
  }

  swap(): Refusal | undefined {
    return this.#calls.swap() ? undefined : noOther;
  }

  sendDtmf(digits: string, ms: number): Refusal | undefined {
    return this.#calls.active?.call.sendDtmf(digits, ms) ? undefined : noCall;
  }

  hold(held: boolean): Refusal | undefined {
    return this.#calls.hold(held) ? undefined : noCall;
  }

  transfer(destination: string): Refusal | undefined {
    const { self } = this.#registration;
    if (self === undefined) return { description: noServer };
    const target = this.#options.ports.signalling.resolve(destination, self.from);
    if ('refusal' in target) return { description: target.refusal };
    return this.#calls.active?.call.transfer(target.uri) ? undefined : noTransfer;
  }

  async sendMessage(destination: string, text: string): Promise<void> {
    const { self } = this.#registration;
    if (self === undefined) throw new Error(noServer);
    const target = this.#options.ports.signalling.resolve(destination, self.from);
    if ('refusal' in target) throw new Error(target.refusal);
    await this.#options.messages.sendMessage({ uri: target.uri, text, ...self });
  }

  write(frame: ClientFrame): void {
    this.#calls.write(frame);
  }

  /** Somebody who plays this line's call needs a key frame. */
  requestKeyFrame(): void {
    this.#calls.active?.call.requestKeyFrame();
  }

  close(termination: Termination): void {
    this.unregister();
    this.#calls.close(termination);
  }
}
