import { NetStream, type StreamHost } from './net-stream.js';

/** The NetStreams of one connection. */
export class StreamTable {
  readonly #streams = new Map<number, NetStream>();
  readonly #limit: number;
  /** The stream of the last message: most often the next one's too. */
  #last: NetStream | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get all(): ReadonlyMap<number, NetStream> {
    return this.#streams;
  }

  get(id: number): NetStream | undefined {
    if (this.#last?.id !== id) this.#last = this.#streams.get(id);
    return this.#last;
  }

  /** @returns a stream with the lowest id from 1 that is free; undefined when there are as many as the limit allows. */
  create(host: StreamHost): NetStream | undefined {
    if (this.#streams.size >= this.#limit) return undefined;
    let id = 1;
    while (this.#streams.has(id)) id += 1;
    const stream = new NetStream(id, host);
    this.#streams.set(id, stream);
    return stream;
  }

  delete(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    this.#last = undefined;
    stream?.close();
  }

  publishing(name: string): NetStream | undefined {
    return [...this.#streams.values()].find((stream) => stream.publishing === name);
  }

  close(): void {
    for (const id of [...this.#streams.keys()]) this.delete(id);
  }
}
