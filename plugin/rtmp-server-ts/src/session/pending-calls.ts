import type { AmfValue } from '../amf/values.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { CommandMessage } from '../message/command.js';
import type { Clock } from './clock.js';
import { RtmpCallError } from './rtmp-call-error.js';

interface PendingCall {
  readonly name: string;
  readonly timer: unknown;
  resolve(values: AmfValue[]): void;
  reject(error: RtmpError): void;
}

/** Calls to the peer, by transaction id, until they are answered. */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  readonly #clock: Clock;
  readonly #limits: { readonly pendingCalls: number; readonly callTimeout: number };
  #nextId: number;

  constructor(
    clock: Clock,
    limits: { readonly pendingCalls: number; readonly callTimeout: number },
    firstTransactionId: number,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#nextId = firstTransactionId;
  }

  /** @param send sends the call with the transaction id that it is given */
  add(name: string, send: (transactionId: number) => void): Promise<AmfValue[]> {
    const answer = new Promise<AmfValue[]>((resolve, reject) => {
      const { pendingCalls } = this.#limits;
      if (this.#calls.size >= pendingCalls) {
        throw new RtmpError('call.pending', `${pendingCalls} calls wait for an answer`);
      }
      const id = this.#nextId;
      this.#nextId += 1;
      send(id);
      this.#calls.set(id, { name, timer: this.#timer(id, name), resolve, reject });
    });
    // A program that does not care for the answer must not fail for want of one.
    answer.catch(() => {});
    return answer;
  }

  /** @returns false when no call has this id, or none any more. */
  settle({ name, transactionId, args }: CommandMessage): boolean {
    const call = this.#take(transactionId);
    if (name === '_result') call?.resolve([...args]);
    else call?.reject(new RtmpCallError(call.name, args));
    return call !== undefined;
  }

  close(): void {
    for (const id of [...this.#calls.keys()]) {
      const call = this.#take(id);
      call?.reject(new RtmpError('call.closed', `the session ended before ${call.name} was answered`));
    }
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    this.#clock.clearTimeout(call?.timer);
    return call;
  }

  #timer(id: number, name: string): unknown {
    const { callTimeout } = this.#limits;
    return this.#clock.setTimeout(() => {
      this.#take(id)?.reject(new RtmpError('call.timeout', `${name} was not answered in ${callTimeout} ms`));
    }, callTimeout);
  }
}
