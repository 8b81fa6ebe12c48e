import type { AmfValue } from '../amf/values.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { RtmpCallError } from './rtmp-call-error.js';

interface PendingCall {
  readonly name: string;
  resolve(values: AmfValue[]): void;
  reject(error: RtmpError): void;
}

/** The server's calls to one client, by transaction id, until they are answered. */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  readonly #limit: number;
  #lastId = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param send sends the call with the transaction id that it is given */
  add(name: string, send: (transactionId: number) => void): Promise<AmfValue[]> {
    const answer = new Promise<AmfValue[]>((resolve, reject) => {
      if (this.#calls.size >= this.#limit)
        throw new RtmpError('call.pending', `${this.#limit} calls wait for an answer`);
      this.#lastId += 1;
      send(this.#lastId);
      this.#calls.set(this.#lastId, { name, resolve, reject });
    });
    // A program that does not care for the answer must not fail for want of one.
    answer.catch(() => {});
    return answer;
  }

  /** @returns false when no call has this id, or none any more. */
  settle(transactionId: number, answer: '_result' | '_error', args: readonly AmfValue[]): boolean {
    const call = this.#calls.get(transactionId);
    if (call === undefined) return false;
    this.#calls.delete(transactionId);
    if (answer === '_result') call.resolve([...args]);
    else call.reject(new RtmpCallError(call.name, args));
    return true;
  }

  close(): void {
    for (const { name, reject } of this.#calls.values()) {
      reject(new RtmpError('call.closed', `the session ended before ${name} was answered`));
    }
    this.#calls.clear();
  }
}
