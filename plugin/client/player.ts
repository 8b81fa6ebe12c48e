import type { RtmpStream } from 'rtmp-server-ts';
import type { ClientFrame } from '../call/ports.js';
import { isKeyFrame, isSequenceHeader } from './flv-video.js';

/** `late`: a picture that this player cannot show until a key frame comes. */
export type PlayOutcome = 'sent' | 'dropped' | 'late';

/**
 * One stream that plays. Of video it never gets a picture that builds on one that it did not get: after whatever was
 * dropped, and for who joins late, video goes on with the sequence header and a key frame.
 */
export class Player {
  readonly #stream: RtmpStream;
  /** Whether the player has all that the next picture builds on. */
  #following = false;
  /** The sequence header that the player has. */
  #header: Uint8Array | undefined;
  #wantsVideo = true;
  #paused = false;

  constructor(stream: RtmpStream) {
    this.#stream = stream;
    stream.on('receiveVideo', (wanted) => {
      this.#wantsVideo = wanted;
      this.#following &&= wanted;
    });
    stream.on('pause', ({ paused }) => {
      this.#paused = paused;
      this.#following &&= !paused;
    });
  }

  audio({ timestamp, payload }: ClientFrame): PlayOutcome {
    return this.#stream.sendAudio(timestamp, payload) ? 'sent' : 'dropped';
  }

  /** @param header the sequence header that the message is to be decoded with, if there was one */
  video({ timestamp, payload }: ClientFrame, header: Uint8Array | undefined): PlayOutcome {
    if (!this.#wantsVideo || this.#paused) return 'dropped';
    // It goes before the next key frame to those who do not follow.
    if (isSequenceHeader(payload)) return !this.#following || this.#announce(timestamp, payload) ? 'sent' : 'dropped';
    if (!this.#following && !isKeyFrame(payload)) return 'late';
    const announced = header === undefined || header === this.#header || this.#announce(timestamp, header);
    this.#following = announced && this.#stream.sendVideo(timestamp, payload);
    return this.#following ? 'sent' : 'dropped';
  }

  /** What comes next is another call's. */
  reset(): void {
    this.#following = false;
    this.#header = undefined;
  }

  /** The call is over. */
  stop(): void {
    this.#stream.stopPlay();
  }

  #announce(timestamp: number, header: Uint8Array): boolean {
    const sent = this.#stream.sendVideo(timestamp, header);
    this.#header = sent ? header : undefined;
    this.#following &&= sent;
    return sent;
  }
}
