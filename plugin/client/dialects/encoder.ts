import type { PublishRequest, RtmpSession } from 'rtmp-server-ts';
import type { CallStatusUpdate } from '../../call/ports.js';
import { CallStatus } from '../../call/status.js';
import type { Dialect, PhoneLine } from './dialect.js';

/**
 * Encoders and players without any RPC (FFmpeg, OBS): the stream name is the dial string. Publishing dials and sends,
 * unpublishing hangs up; the end of the call closes the connection, the only sign that every encoder understands.
 */
export class EncoderDialect implements Dialect {
  readonly #session: RtmpSession;
  readonly #line: PhoneLine;
  /** What is dialled as soon as it is known whether there is video to offer. */
  #dialling: string | undefined;

  constructor(session: RtmpSession, line: PhoneLine) {
    this.#session = session;
    this.#line = line;
  }

  command(): boolean {
    return false;
  }

  status({ status, reason }: CallStatusUpdate): void {
    if (status === CallStatus.notConnected) this.#session.close(`call ended: ${reason ?? 'no reason given'}`);
  }

  /** An encoder has no way to answer: its line is never called. */
  incoming(): void {
    this.#line.decline(480);
  }

  /** There is no way to tell an encoder. */
  notice(): void {}

  publish(request: PublishRequest): void {
    const refusal = this.#line.check(request.name);
    if (refusal) {
      request.reject('NetStream.Publish.BadName', refusal.description);
      return;
    }
    this.#dialling = request.name;
    request.accept();
  }

  published(): void {
    const destination = this.#dialling;
    this.#dialling = undefined;
    const refusal = destination === undefined ? undefined : this.#line.dial(destination);
    if (refusal) this.#session.close(`cannot call: ${refusal.description}`);
  }

  unpublish(): void {
    this.#dialling = undefined;
    this.#line.hangup();
  }
}
