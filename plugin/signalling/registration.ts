import { randomUUID } from 'node:crypto';
import type { Registration, RegistrationEvent, RegistrationRequest } from '../call/ports.js';
import { parseNameAddr, splitAddresses, userOf } from './addresses/name-addr.js';
import type { Routing } from './addresses/routing.js';
import { Authenticator } from './drachtio/authenticator.js';
import type { DrachtioConnection } from './drachtio/drachtio.js';
import type { SipAnswer } from './drachtio/sip-answer.js';

/** Seconds that we ask for; the registrar decides. */
const wantedExpires = 3_600;
/** A registrar that wants longer than this is not believed. */
const longestExpires = 7 * 24 * 3_600;
const firstRetryMs = 2_000;
const longestRetryMs = 60_000;
/** How long a registration that has ended because nobody answered is still tried for. */
const giveUpMs = 10 * 60_000;

export interface RegistrarOptions {
  readonly connection: DrachtioConnection;
  readonly routing: Routing;
  /** It is reached without the outbound proxy. */
  readonly isLocal?: boolean;
}

/** One address kept registered at a registrar (RFC 3261 section 10.2), from one Call-ID. */
export class RegistrarSession implements Registration {
  readonly #options: RegistrarOptions;
  readonly #request: RegistrationRequest;
  readonly #listener: (event: RegistrationEvent) => void;
  readonly #authenticator: Authenticator;
  readonly #callId = randomUUID();
  readonly #tag = randomUUID().slice(0, 8);
  #sequence = 0;
  #expires = wantedExpires;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #registered = false;
  /** When to stop trying, in milliseconds since the epoch. */
  #giveUpAt: number;
  #ended = false;
  #sending: Promise<void>;

  constructor(options: RegistrarOptions, request: RegistrationRequest, listener: (event: RegistrationEvent) => void) {
    this.#options = options;
    this.#request = request;
    this.#listener = listener;
    this.#authenticator = new Authenticator(request.credentials);
    this.#giveUpAt = request.patient ? Date.now() + giveUpMs : 0;
    this.#sending = this.#refresh();
  }

  end(): void {
    void this.close();
  }

  /** As {@link end}; resolves when the registrar has confirmed it, or nothing can be done about it. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#stop();
    await this.#sending;
    if (this.#registered) await this.#send(0).catch(() => undefined);
  }

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#options.connection.off('up', this.#again);
    this.#options.routing.forget(this.#request.address, this);
  }

  async #refresh(): Promise<void> {
    this.#options.connection.off('up', this.#again);
    let answer: SipAnswer;
    try {
      answer = await this.#send(this.#expires);
    } catch (error) {
      this.#failed({ reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    if (answer.status < 300) this.#succeeded(answer);
    else this.#failed({ reason: answer.reason, sipStatus: answer.status });
  }

  #succeeded(answer: SipAnswer): void {
    const first = !this.#registered;
    this.#registered = true;
    // The client may have gone while the REGISTER was on its way.
    if (this.#ended) return;
    const granted = grantedExpires(answer, this.#request.contactUser) ?? this.#expires;
    this.#giveUpAt = Date.now() + granted * 1000 + giveUpMs;
    this.#retryMs = firstRetryMs;
    this.#options.routing.serviceRoute(this.#request.address, this, answer.header('service-route'));
    // Before it ends, with time left for another attempt or two.
    this.#wait(Math.max(granted * 1000 * 0.8, 1_000));
    if (first) this.#listener({ type: 'registered' });
  }

  /** A refusal is final; silence and faults of servers are not. */
  #failed({ reason, sipStatus }: { readonly reason: string; readonly sipStatus?: number }): void {
    if (this.#ended) return;
    const passing =
      sipStatus === undefined || sipStatus === 408 || sipStatus === 480 || (sipStatus >= 500 && sipStatus < 600);
    if (passing && Date.now() < this.#giveUpAt) {
      this.#wait(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
      this.#options.connection.once('up', this.#again);
      return;
    }
    this.#stop();
    const why = sipStatus === undefined ? reason : `${sipStatus} ${reason}`;
    this.#listener({ type: this.#registered ? 'lost' : 'failed', reason: why });
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#again, ms);
    this.#timer.unref();
  }

  readonly #again = (): void => {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#sending = this.#refresh();
  };

  /** One REGISTER, with the answers to challenges and to 423 that it takes. */
  async #send(expires: number): Promise<SipAnswer> {
    const { connection, routing, isLocal = false } = this.#options;
    const proxy = isLocal ? undefined : routing.outboundProxy;
    let wanted = expires;
    this.#authenticator.begin();
    for (;;) {
      const { registrar } = this.#request;
      const answer = await connection.request('REGISTER', registrar, this.#headers(wanted), { proxy });
      const minimum = answer.status === 423 ? Number(answer.header('min-expires')) : Number.NaN;
      if (wanted > 0 && minimum > wanted && minimum <= longestExpires) {
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
  const contacts = splitAddresses(answer.header('contact')).map(parseNameAddr);
  const own = contacts.find((contact) => contact && userOf(contact.uri) === contactUser);
  const seconds = Number(own?.parameters.get('expires') ?? answer.header('expires'));
  return seconds > 0 && seconds <= longestExpires ? seconds : undefined;
}
