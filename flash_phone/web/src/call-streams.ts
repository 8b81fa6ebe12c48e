import type { RtmpClientStream, RtmpConnection } from 'rtmp-server-ts/browser';

/** Milliseconds of one audio message. */
const frameMs = 20;
/** A microphone that was interrupted for longer goes on in the present, not where it stopped. */
const longestLagMs = 200;

/** The two NetStreams of a call: what is said, and what is heard. */
export class CallStreams {
  #publishing: RtmpClientStream | undefined;
  #playing: RtmpClientStream | undefined;
  #closed = false;
  #began: number | undefined;
  #timestamp = 0;

  /** @throws RtmpError when the gateway gives no stream */
  async open(connection: RtmpConnection, heard: (timestamp: number, message: Uint8Array) => void): Promise<void> {
    const [publishing, playing] = await Promise.all([connection.createStream(), connection.createStream()]);
    this.#publishing = publishing;
    this.#playing = playing;
    if (this.#closed) {
      this.close();
      return;
    }
    // The payload is a part of a larger receive buffer: copied, so that it alone crosses to the audio thread.
    playing.on('audio', ({ timestamp, payload }) => heard(timestamp, payload.slice()));
    // Names carry no meaning to the gateway.
    await Promise.all([publishing.publish('dummy', 'live'), playing.play('dummy')]);
  }

  say(message: Uint8Array): void {
    const now = performance.now();
    this.#began ??= now;
    const elapsed = now - this.#began;
    if (elapsed - this.#timestamp > longestLagMs) this.#timestamp = Math.round(elapsed / frameMs) * frameMs;
    this.#publishing?.sendAudio(this.#timestamp, message);
    this.#timestamp += frameMs;
  }

  close(): void {
    this.#closed = true;
    this.#publishing?.close();
    this.#playing?.close();
  }
}
