import { copied, describe, headerOf, readSip, type SipMessage, sequenceOf, write } from './sip-message.js';

/** What a far end does that is not as it should be. */
export interface Manners {
  /** `cross`: it hangs up as well before it confirms; `ignore`: it says nothing. */
  bye: 'confirm' | 'cross' | 'ignore';
  /** `answer`: its answer crosses the CANCEL. */
  cancel: 'confirm' | 'answer';
  /** How many ACKs it does not get, or how many of its own are lost. */
  lostAcks: number;
}

export interface PeerCallOptions {
  readonly callId: string;
  readonly port: number;
  readonly send: (datagram: Buffer) => void;
  readonly tag: string;
}

const host = '127.0.0.1';
/** Milliseconds between two copies of what is not confirmed, and how many there are. */
const repeat = { ms: 500, times: 64 };
const waitMs = 60_000;

/** One call of a telephone, either way. It repeats over UDP what is not confirmed, and knows repetitions of the other side. */
export class PeerCall {
  readonly manners: Manners = { bye: 'confirm', cancel: 'confirm', lostAcks: 0 };
  readonly #options: PeerCallOptions;
  /** Requests as `BYE`, responses as `200 INVITE`. */
  readonly #seen: string[] = [];
  #waiting: (() => void)[] = [];
  /** The last response to each request, by its CSeq. */
  readonly #responses = new Map<string, Buffer>();
  /** What stops the copies, by the CSeq of what is not confirmed. */
  readonly #copies = new Map<string, () => void>();
  #invite: SipMessage | undefined;
  /** The INVITE that it sends, or the target of its requests, once it knows. */
  #target = '';
  #from = '';
  #to = '';
  #branch = '';
  #sequence = 1;
  #branches = 0;

  constructor(options: PeerCallOptions) {
    this.#options = options;
  }

  /** Calls this address, under a name. */
  call(uri: string, name: string): void {
    const { tag, port } = this.#options;
    this.#target = uri;
    this.#from = `<sip:${name}@${host}:${port}>;tag=${tag}`;
    this.#to = `<${uri}>`;
    this.#branch = this.#newBranch();
    this.#request('INVITE', 1, this.#branch, describe(host));
  }

  ring(): void {
    this.#respond(180);
  }

  /** @param headers In the place of the usual Contact. */
  answer(...headers: readonly string[]): void {
    if (!this.#invite) return;
    const answer = this.#respond(200, describe(host, this.#invite.body), headers);
    if (answer) this.#repeat('ACK', answer);
  }

  /** Its last response to the INVITE, so many times more. */
  repeat(times: number): void {
    const last = this.#invite && this.#responses.get(`${sequenceOf(this.#invite).number} INVITE`);
    for (let i = 0; last && i < times; i++) this.#options.send(last);
  }

  refuse(status: number): void {
    const refusal = this.#respond(status);
    if (refusal) this.#repeat('ACK', refusal);
  }

  cancel(): void {
    this.#request('CANCEL', 1, this.#branch);
  }

  bye(): void {
    this.#request('BYE', ++this.#sequence, this.#newBranch());
  }

  /** Until one of these has come: requests as `BYE`, responses as `200 INVITE`. Resolves to that. */
  async until(...wanted: readonly string[]): Promise<string> {
    const timeout = setTimeout(() => this.#wake(), waitMs);
    const deadline = Date.now() + waitMs;
    for (;;) {
      const come = wanted.find((what) => this.#seen.includes(what));
      if (come !== undefined) {
        clearTimeout(timeout);
        return come;
      }
      if (Date.now() >= deadline) throw new Error(`no ${wanted.join(' or ')} came, but ${this.#seen.join(', ')}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  receive(datagram: Buffer): void {
    const message = readSip(datagram);
    if (message.status !== undefined) this.#response(message);
    else this.#requested(message);
  }

  /** Sends no copies any more. */
  close(): void {
    for (const stop of [...this.#copies.values()]) stop();
    this.#wake();
  }

  #requested(message: SipMessage): void {
    const { method = '' } = message;
    if (method === 'ACK') {
      if (this.manners.lostAcks-- > 0) return;
      this.#copies.get('ACK')?.();
      this.#note(message);
      return;
    }
    const key = `${sequenceOf(message).number} ${method}`;
    const last = this.#responses.get(key);
    if (last) {
      this.#options.send(last);
      return;
    }
    if (method === 'INVITE') {
      this.#invite = message;
      this.#target = /<?(sips?:[^>\s]*)/.exec(headerOf(message, 'contact'))?.[1] ?? '';
      this.#from = '';
    } else if (method === 'BYE') this.#hungUpOn(message, key);
    else if (method === 'CANCEL') this.#cancelled(message, key);
    else this.#confirm(message, key);
    this.#note(message);
  }

  #hungUpOn(message: SipMessage, key: string): void {
    if (this.manners.bye === 'ignore') return;
    if (this.manners.bye === 'cross') {
      // Its own is on its way by the time that it sees the other.
      this.manners.bye = 'confirm';
      this.bye();
    }
    this.#confirm(message, key);
  }

  #cancelled(message: SipMessage, key: string): void {
    if (this.manners.cancel === 'answer') this.answer();
    this.#confirm(message, key);
    if (this.manners.cancel === 'confirm') this.refuse(487);
  }

  #confirm(message: SipMessage, key: string): void {
    const response = write('SIP/2.0 200 OK', copied(message, this.#options.tag));
    this.#responses.set(key, response);
    this.#options.send(response);
  }

  #response(message: SipMessage): void {
    const { status = 0 } = message;
    const { number, method } = sequenceOf(message);
    this.#copies.get(`${number} ${method}`)?.();
    if (method === 'INVITE' && status >= 200) this.#acknowledge(message, status);
    this.#note(message);
  }

  #acknowledge(message: SipMessage, status: number): void {
    if (this.manners.lostAcks-- > 0) return;
    const to = headerOf(message, 'to');
    if (status < 300) {
      this.#to = to;
      this.#target = /<?(sips?:[^>\s]*)/.exec(headerOf(message, 'contact'))?.[1] ?? this.#target;
    }
    const branch = status < 300 ? this.#newBranch() : this.#branch;
    this.#options.send(this.#writeRequest('ACK', 1, branch, to));
  }

  /** To the INVITE. Nothing when it has had its final response. */
  #respond(status: number, body = '', headers: readonly string[] = []): Buffer | undefined {
    const invite = this.#invite;
    if (!invite) return undefined;
    const key = `${sequenceOf(invite).number} INVITE`;
    const last = this.#responses.get(key);
    if (last && Number(last.toString('latin1', 8, 11)) >= 200) return undefined;
    const more = headers.length > 0 ? headers : [`Contact: <sip:peer@${host}:${this.#options.port}>`];
    const response = write(`SIP/2.0 ${status} Whatever`, [...copied(invite, this.#options.tag), ...more], body);
    this.#responses.set(key, response);
    this.#options.send(response);
    return response;
  }

  #request(method: string, sequence: number, branch: string, body = ''): void {
    const request = this.#writeRequest(method, sequence, branch, this.#toOfRequests(), body);
    this.#options.send(request);
    this.#repeat(`${sequence} ${method}`, request);
  }

  #writeRequest(method: string, sequence: number, branch: string, to: string, body = ''): Buffer {
    const { callId, port } = this.#options;
    const headers = [
      `Via: SIP/2.0/UDP ${host}:${port};branch=${branch}`,
      `From: ${this.#fromOfRequests()}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <sip:peer@${host}:${port}>`,
      'Max-Forwards: 70',
    ];
    return write(`${method} ${this.#target} SIP/2.0`, headers, body);
  }

  /** Of one who was called, From and To change places. */
  #fromOfRequests(): string {
    if (this.#from !== '' || !this.#invite) return this.#from;
    return `${headerOf(this.#invite, 'to')};tag=${this.#options.tag}`;
  }

  #toOfRequests(): string {
    return this.#invite ? headerOf(this.#invite, 'from') : this.#to;
  }

  #repeat(key: string, datagram: Buffer): void {
    let left = repeat.times;
    const timer = setInterval(() => {
      if (--left > 0) this.#options.send(datagram);
      else stop();
    }, repeat.ms);
    const stop = () => {
      clearInterval(timer);
      this.#copies.delete(key);
    };
    this.#copies.get(key)?.();
    this.#copies.set(key, stop);
  }

  #newBranch(): string {
    return `z9hG4bK${this.#options.tag}.${++this.#branches}`;
  }

  #note(message: SipMessage): void {
    const { method, status } = message;
    this.#seen.push(method ?? `${status} ${sequenceOf(message).method}`);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
