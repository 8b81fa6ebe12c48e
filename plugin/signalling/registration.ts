import { randomUUID } from 'node:crypto';
import type { Registration, RegistrationEvent, RegistrationRequest } from '../call/ports.js';
import { Authenticator } from './authenticator.js';
import type { DrachtioConnection } from './drachtio.js';
import type { SipAnswer } from './sip-answer.js';

/** Seconds that we ask for; the registrar decides. */
const wantedExpires = 3_600;
/** A registrar that wants longer than this is not believed. */
const longestExpires = 7 * 24 * 3_600;
const firstRetryMs = 2_000;
const longestRetryMs = 60_000;

/** One address kept registered at a registrar (RFC 3261 section 10.2), from one Call-ID. */
export class RegistrarSession implements Registration {
  readonly #connection: DrachtioConnection;
  readonly #request: RegistrationRequest;
  readonly #listener: (event: RegistrationEvent) => void;
  readonly #authenticator: Authenticator;
  readonly #callId = randomUUID();
  readonly #tag = randomUUID().slice(0, 8);
  #sequence = 0;
  #expires = wantedExpires;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  /** When the registrar forgets us, in milliseconds since the epoch; undefined before the first success. */
  #validUntil: number | undefined;
  #ended = false;

  constructor(
    connection: DrachtioConnection,
    request: RegistrationRequest,
    listener: (event: RegistrationEvent) => void,
  ) {
    this.#connection = connection;
    this.#request = request;
    this.#listener = listener;
    this.#authenticator = new Authenticator(request.credentials);
    void this.#refresh();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#connection.off('up', this.#again);
    if (this.#validUntil !== undefined) void this.#send(0).catch(() => {});
  }

  async #refresh(): Promise<void> {
    this.#connection.off('up', this.#again);
    let answer: SipAnswer;
    try {
      answer = await this.#send(this.#expires);
    } catch (error) {
      this.#failed({ reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    if (this.#ended) {
      // The client went while the REGISTER was on its way.
      if (answer.status < 300) void this.#send(0).catch(() => {});
      return;
    }
    if (answer.status < 300) this.#registered(answer);
    else this.#failed({ reason: answer.reason, sipStatus: answer.status });
  }

  #registered(answer: SipAnswer): void {
    const granted = grantedExpires(answer, this.#request.contactUser) ?? this.#expires;
    const first = this.#validUntil === undefined;
    this.#validUntil = Date.now() + granted * 1000;
    this.#retryMs = firstRetryMs;
    // Before it ends, with time left for another attempt or two.
    this.#wait(Math.max(granted * 1000 * 0.8, 1_000));
    if (first) this.#listener({ type: 'registered' });
  }

  /** A refusal is final; silence and faults of servers are not, as long as the registrar may still know us. */
  #failed({ reason, sipStatus }: { readonly reason: string; readonly sipStatus?: number }): void {
    if (this.#ended) return;
    const passing =
      sipStatus === undefined || sipStatus === 408 || sipStatus === 480 || (sipStatus >= 500 && sipStatus < 600);
    if (this.#validUntil !== undefined && passing && Date.now() < this.#validUntil) {
      this.#wait(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
      this.#connection.once('up', this.#again);
      return;
    }
    const registered = this.#validUntil !== undefined;
    this.#validUntil = undefined;
    this.end();
    const why = sipStatus === undefined ? reason : `${sipStatus} ${reason}`;
    this.#listener({ type: registered ? 'lost' : 'failed', reason: why });
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#again, ms);
    this.#timer.unref();
  }

  readonly #again = (): void => {
    clearTimeout(this.#timer);
    if (!this.#ended) void this.#refresh();
  };

  /** One REGISTER, with the answers to challenges and to 423 that it takes. */
  async #send(expires: number): Promise<SipAnswer> {
    let wanted = expires;
    this.#authenticator.begin();
    for (;;) {
      const answer = await this.#connection.request('REGISTER', this.#request.registrar, this.#headers(wanted));
      const minimum = answer.status === 423 ? Number(answer.header('min-expires')) : Number.NaN;
      if (minimum > wanted && minimum <= longestExpires) {
        wanted = minimum;
        this.#expires = minimum;
      } else if (!this.#authenticator.challenged(answer)) {
        return answer;
      }
    }
  }

  #headers(expires: number): Record<string, string> {
    const { address, registrar, contactUser } = this.#request;
    return {
      From: `<${address}>;tag=${this.#tag}`,
      To: `<${address}>`,
      'Call-ID': this.#callId,
      CSeq: `${++this.#sequence} REGISTER`,
      // The server writes its own address in the place of localhost.
      Contact: `<sip:${contactUser}@localhost>;expires=${expires}`,
      Expires: String(expires),
      ...this.#authenticator.headers('REGISTER', registrar),
    };
  }
}

/** Seconds that the registrar grants our Contact (RFC 3261 section 10.2.4). */
function grantedExpires(answer: SipAnswer, contactUser: string): number | undefined {
  const contacts = answer.header('contact').split(/,(?=\s*(?:"|<|sip))/);
  const own = contacts.find((contact) => contact.includes(contactUser)) ?? '';
  const seconds = Number(/;\s*expires\s*=\s*"?(\d+)/i.exec(own)?.[1] ?? answer.header('expires'));
  return seconds > 0 && seconds <= longestExpires ? seconds : undefined;
}
