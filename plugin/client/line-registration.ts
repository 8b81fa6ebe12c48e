import { randomUUID } from 'node:crypto';
import type { Credentials, RegistrarAddress, Registration, RegistrationPort } from '../call/ports.js';
import type { RegistrationWish } from './dialects/dialect.js';

interface HeldRegistration {
  readonly address: string;
  readonly credentials?: Credentials;
  readonly held: Registration;
  /** Tells who waits for the outcome that there will be none. */
  replaced(): void;
}

/** Who the client is in its calls. */
export interface Self {
  readonly from: string;
  readonly credentials?: Credentials;
}

/** The address of one line: made up, or what it is registered as. */
export class LineRegistration {
  /** User part of the made-up address; unguessable: nobody who was not told can call or pose as this client. */
  readonly user: string = randomUUID();
  readonly #port: RegistrationPort;
  readonly #domain: () => string | undefined;
  #current: HeldRegistration | undefined;
  #registrations = 0;

  /** @param domain Host part of the made-up address; none while there is no SIP server. */
  constructor(port: RegistrationPort, domain: () => string | undefined) {
    this.#port = port;
    this.#domain = domain;
  }

  get address(): string | undefined {
    const domain = this.#domain();
    return this.#current?.address ?? (domain && `sip:${this.user}@${domain}`);
  }

  /** Who the client is to its callers: what came in was for the Contact, which nobody dialled. */
  get name(): string {
    return this.#current?.address.replace(/^sip:|@.*$/g, '') ?? this.user;
  }

  get self(): Self | undefined {
    const from = this.address;
    const credentials = this.#current?.credentials;
    return from === undefined ? undefined : { from, ...(credentials && { credentials }) };
  }

  home(domain: string | undefined): RegistrarAddress | undefined {
    return this.#port.home(domain);
  }

  registerMadeUp(lost: (reason: string) => void): string | undefined {
    this.unregister();
    const home = this.home(undefined);
    if (this.address === undefined || home === undefined || home.local) return this.address;
    const address = `sip:${this.user}@${home.domain}`;
    const request = { address, registrar: home.registrar, contactUser: this.#contactUser(), patient: true };
    const held = this.#port.register(request, (event) => {
      if (event.type === 'registered') return;
      if (this.#current?.held === held) this.#current = undefined;
      lost(event.reason);
    });
    this.#current = { address, held, replaced: () => undefined };
    return address;
  }

  register({ address, registrar, credentials }: RegistrationWish, lost: (reason: string) => void): Promise<void> {
    this.unregister();
    return new Promise((resolve, reject) => {
      const request = { address, registrar, contactUser: this.#contactUser(), ...(credentials && { credentials }) };
      const held = this.#port.register(request, (event) => {
        if (event.type === 'registered') {
          resolve();
          return;
        }
        if (this.#current?.held === held) this.#current = undefined;
        if (event.type === 'lost') lost(event.reason);
        else reject(new Error(event.reason));
      });
      const replaced = () => reject(new Error('replaced by another register() or unregister()'));
      this.#current = { address, held, replaced, ...(credentials && { credentials }) };
    });
  }

  unregister(): void {
    const registration = this.#current;
    this.#current = undefined;
    registration?.held.end();
    registration?.replaced();
  }

  /**
   * Each registration has a Contact of its own: one that is being taken back must not take its successor's with it. Calls
   * to any of them are for this line.
   */
  #contactUser(): string {
    return `${this.user}.${++this.#registrations}`;
  }
}
