import type { RtmpStream } from 'rtmp-server-ts';
import type { Timers } from '../call/call-ports.js';
import type { ClientFrame } from '../call/ports.js';
import type { ClientCodecs } from './client-codecs.js';
import type { Dialect } from './dialects/dialect.js';
import type { Line } from './line.js';
import { type PublishedVideo, readMetadata } from './published-video.js';

export interface PublisherOptions {
  readonly line: Line;
  readonly dialect: Dialect;
  readonly published: PublishedVideo;
  readonly codecs: ClientCodecs;
  readonly timers: Timers;
}

/** Milliseconds in which an encoder says what it sends; one that has not said so by then has no video. */
const settleTime = 500;

/** What a client publishes: it goes to the call of its line, and tells what the line's next call can offer. */
export class Publisher {
  readonly #options: PublisherOptions;
  /** Present from the begin of a publish until it is known what is sent. */
  #cancelSettling: (() => void) | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  serve(stream: RtmpStream, named: (name: string) => void): void {
    const { line, dialect, published, codecs, timers } = this.#options;
    stream.on('publish', (request) => {
      published.reset();
      this.#cancelSettling?.();
      this.#cancelSettling = timers.after(settleTime, () => this.#settle());
      named(request.name);
      dialect.publish(request);
    });
    stream.on('unpublish', () => {
      published.reset();
      this.#cancelSettling?.();
      this.#cancelSettling = undefined;
      dialect.unpublish();
    });
    stream.on('data', (message) => {
      const metadata = readMetadata(message);
      // The sequence header follows at once, and tells more.
      if (metadata?.video) published.announced();
      else if (metadata) this.#settle();
    });
    stream.on('audio', ({ timestamp, payload }) => {
      codecs.heard(payload);
      line.write({ kind: 'audio', timestamp, payload });
    });
    stream.on('video', ({ timestamp, payload }) => {
      const frame: ClientFrame = { kind: 'video', timestamp, payload };
      const heard = line.connected;
      // A call that begins asks what came before this one.
      if (heard) line.write(frame);
      published.message(frame, heard);
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#cancelSettling === undefined) return;
    this.#cancelSettling();
    this.#cancelSettling = undefined;
    this.#options.dialect.published?.();
  }
}
