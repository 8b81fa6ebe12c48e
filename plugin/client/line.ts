import { randomUUID } from 'node:crypto';
import { Call } from '../call/call.js';
import type { CallPorts } from '../call/call-ports.js';
import type { CallParties } from '../call/parties.js';
import type {
  ClientFrame,
  ClientPort,
  Credentials,
  IncomingInvite,
  MessagePort,
  Registration,
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
}

/** Who the client is in its calls. */
interface Self {
  readonly from: string;
  readonly credentials?: Credentials;
}

interface HeldRegistration {
  readonly address: string;
  readonly credentials?: Credentials;
  readonly held: Registration;
  /** Tells who waits for the outcome that there will be none. */
  replaced(): void;
}

const busyHere = 486;
const temporarilyUnavailable = 480;

const noCall: Refusal = { description: 'there is no call that is answered' };
const noTransfer: Refusal = { description: 'there is no call that is answered and not being transferred already' };

/** One connection is one line: an address, and at most one call. */
export class Line implements PhoneLine {
  /** User part of the address. Made up, unguessable: nobody who was not told can call or pose as this client. */
  readonly user: string = randomUUID();
  readonly #options: LineOptions;
  readonly #client: ClientPort;
  #call: Call | undefined;
  /** Whether the client has asked for video in the call that it has, or takes. */
  #wantsVideo = false;
  #registration: HeldRegistration | undefined;

  constructor(client: ClientPort, options: LineOptions) {
    this.#options = options;
    this.#client = client;
  }

  get address(): string | undefined {
    const domain = this.#options.domain();
    return this.#registration?.address ?? (domain && `sip:${this.user}@${domain}`);
  }

  /** Who the client is to its callers: what came in was for the Contact, which nobody dialled. */
  get name(): string {
    return this.#registration?.address.replace(/^sip:|@.*$/g, '') ?? this.user;
  }

  register({ address, registrar, credentials }: RegistrationWish, lost: (reason: string) => void): Promise<void> {
    this.unregister();
    return new Promise((resolve, reject) => {
      const request = { address, registrar, contactUser: this.user, ...(credentials && { credentials }) };
      const held = this.#options.registrations.register(request, (event) => {
        if (event.type === 'registered') {
          resolve();
          return;
        }
        if (this.#registration?.held === held) this.#registration = undefined;
        if (event.type === 'lost') lost(event.reason);
        else reject(new Error(event.reason));
      });
      const replaced = () => reject(new Error('replaced by another register() or unregister()'));
      this.#registration = { address, held, replaced, ...(credentials && { credentials }) };
    });
  }

  unregister(): void {
    const registration = this.#registration;
    this.#registration = undefined;
    registration?.held.end();
    registration?.replaced();
  }

  /** Whether what the client sends reaches somebody. */
  get connected(): boolean {
    return this.#call?.state === 'connected';
  }

  get wantsVideo(): boolean {
    return this.#wantsVideo;
  }

  check(destination: string): DialOutcome {
    const planned = this.#plan(destination);
    return 'code' in planned ? planned : undefined;
  }

  dial(destination: string, { video = false }: CallWish = {}): DialOutcome {
    const target = this.#plan(destination);
    if ('code' in target) return target;
    this.#wantsVideo = video;
    this.#begin({ direction: 'outgoing', id: randomUUID(), ...target });
    return undefined;
  }

  /** Whom to call, as whom; or why it cannot be. */
  #plan(destination: string): ({ readonly uri: string } & Self) | DialRefusal {
    const { ports, calls } = this.#options;
    if (calls.closed) return { code: 'failed', description: 'the gateway is shutting down' };
    if (this.#busy) return { code: 'existing', description: 'a call is up or being set up; hang up first' };
    const self = this.#self;
    if (self === undefined) return { code: 'failed', description: noServer };
    const target = ports.signalling.resolve(destination, self.from);
    return 'refusal' in target ? { code: 'failed', description: target.refusal } : { uri: target.uri, ...self };
  }

  /** Somebody calls this line. */
  incoming(invite: IncomingInvite): void {
    const { calls, ringTimeMs } = this.#options;
    const self = this.#self;
    if (calls.closed || self === undefined) invite.reject(temporarilyUnavailable);
    else if (this.#busy) invite.reject(busyHere);
    else this.#begin({ direction: 'incoming', invite, ringTimeMs, ...self });
  }

  /** Somebody sends this line a text. */
  message(message: TextMessage): void {
    this.#client.notice({ type: 'message', message });
  }

  accept({ video = false }: CallWish = {}): void {
    this.#wantsVideo = video;
    this.#call?.accept();
  }

  decline(sipStatus: number): void {
    this.#call?.decline(sipStatus);
  }

  hangup(): void {
    this.#call?.hangup();
  }

  sendDtmf(digits: string, ms: number): Refusal | undefined {
    return this.#call?.sendDtmf(digits, ms) ? undefined : noCall;
  }

  hold(held: boolean): Refusal | undefined {
    return this.#call?.hold(held) ? undefined : noCall;
  }

  transfer(destination: string): Refusal | undefined {
    const self = this.#self;
    if (self === undefined) return { description: noServer };
    const target = this.#options.ports.signalling.resolve(destination, self.from);
    if ('refusal' in target) return { description: target.refusal };
    return this.#call?.transfer(target.uri) ? undefined : noTransfer;
  }

  async sendMessage(destination: string, text: string): Promise<void> {
    const self = this.#self;
    if (self === undefined) throw new Error(noServer);
    const target = this.#options.ports.signalling.resolve(destination, self.from);
    if ('refusal' in target) throw new Error(target.refusal);
    await this.#options.messages.sendMessage({ uri: target.uri, text, ...self });
  }

  write(frame: ClientFrame): void {
    this.#call?.write(frame);
  }

  /** Somebody who plays this line's call needs a key frame. */
  requestKeyFrame(): void {
    this.#call?.requestKeyFrame();
  }

  close(termination: Termination): void {
    this.unregister();
    this.#call?.abandon(termination);
  }

  /** Who the client is in its calls. */
  get #self(): Self | undefined {
    const from = this.address;
    const credentials = this.#registration?.credentials;
    return from === undefined ? undefined : { from, ...(credentials && { credentials }) };
  }

  get #busy(): boolean {
    return this.#call !== undefined && this.#call.state !== 'ended';
  }

  #begin(parties: CallParties): void {
    const { ports, calls } = this.#options;
    const call = new Call(parties, { ...ports, client: this.#client });
    this.#call = call;
    calls.add(call);
    call.start();
  }
}
