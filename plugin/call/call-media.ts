import type { CallPorts } from './call-ports.js';
import type { ClientFrame, FramePlayer, MediaReport, MediaSession } from './ports.js';
import type { SessionDescription } from './session-description.js';
import type { CallEvent } from './state.js';
import { mediaTermination } from './termination.js';

export interface CallMediaOptions {
  readonly callId: string;
  readonly ports: Pick<CallPorts, 'client' | 'media'>;
  /** What a caller offers; without it the offer is ours. */
  readonly offer: SessionDescription | undefined;
  /** A key frame is needed of a far end that has not said that it takes RTCP feedback. */
  readonly keyFrameNeeded: () => void;
  /** Takes how each thing went that the media were asked for. */
  readonly tell: (event: CallEvent) => void;
}

/** The media of one call, and what the call hears of them. */
export class CallMedia implements FramePlayer {
  /** Whether what the client says reaches somebody, as far as the state of the call goes. */
  heard = false;
  /** The client neither speaks nor hears. */
  silent = false;
  readonly #options: CallMediaOptions;
  readonly #client: FramePlayer;
  #session: MediaSession | undefined;

  constructor(options: CallMediaOptions) {
    this.#options = options;
    this.#client = options.ports.client;
  }

  /** Undefined before they are open. */
  get session(): MediaSession | undefined {
    return this.#session;
  }

  /** @param wanted whether the call still waits for its media: the client may hang up, or go, while sockets are opened */
  async open(wanted: () => boolean): Promise<void> {
    const { callId, ports, offer, keyFrameNeeded, tell } = this.#options;
    const { client } = ports;
    try {
      const audio = await client.audio();
      if (!wanted()) return;
      const session = await ports.media.open({
        callId,
        client: audio,
        player: this,
        dtmf: (tone) => client.notice({ type: 'dtmf', tone }),
        lost: (reason) => tell({ type: 'media-failed', termination: { result: 'media-failed', reason } }),
        incoming: offer !== undefined,
        video: () => client.video?.(),
        keyFrameWanted: () => client.keyFrameWanted?.(),
        keyFrameNeeded,
      });
      if (!wanted()) {
        session.close();
        return;
      }
      this.#session = session;
      if (offer) session.check(offer);
    } catch (error) {
      tell({ type: 'media-failed', termination: mediaTermination(error) });
      return;
    }
    tell({ type: 'media-opened' });
  }

  /** Makes the answer to the caller's offer, or an offer where the caller made none. */
  answer(): void {
    const { offer } = this.#options;
    void this.#attempt(async (session) => ({
      type: 'media-answered',
      answer: offer ? await session.answer(offer) : session.offer,
    }));
  }

  accept(answer: SessionDescription): void {
    void this.#attempt(async (session) => {
      await session.accept(answer);
      return { type: 'media-accepted' };
    });
  }

  /** What cannot be heard early may be heard after the answer: its failure is none of the call. */
  async acceptEarly(answer: SessionDescription): Promise<void> {
    try {
      await this.#session?.accept(answer);
      this.#options.tell({ type: 'early-media-accepted' });
    } catch {
      // The answer that follows is what counts.
    }
  }

  /** What the far end says; false when it was dropped. */
  play(frame: ClientFrame): boolean {
    return this.silent || this.#client.play(frame);
  }

  /** What the client says. */
  write(frame: ClientFrame): void {
    if (this.heard && !this.silent) this.#session?.write(frame);
  }

  close(): MediaReport {
    return this.#session?.close() ?? {};
  }

  /** Has the media do something, and tells the call how it went. */
  async #attempt(action: (session: MediaSession) => Promise<CallEvent>): Promise<void> {
    if (!this.#session) return;
    let event: CallEvent;
    try {
      event = await action(this.#session);
    } catch (error) {
      event = { type: 'media-failed', termination: mediaTermination(error) };
    }
    this.#options.tell(event);
  }
}
