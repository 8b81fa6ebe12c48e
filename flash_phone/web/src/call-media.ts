import type { RtmpConnection } from 'rtmp-server-ts/browser';
import { CallAudio } from './call-audio.js';
import { CallStreams } from './call-streams.js';
import type { Devices } from './devices.js';
import { type CallQuality, SonoPhoneError } from './events.js';
import { QualityMeter } from './quality-meter.js';

export interface MediaHandler {
  /** 0-100. */
  level(microphone: number, speaker: number): void;
  quality(quality: CallQuality): void;
  /** Something broke, or was refused; the call goes on. */
  failed(error: unknown): void;
}

/** Microphone and speaker of a call, and the streams that join them to the gateway. */
export class CallMedia {
  readonly #devices: Devices;
  readonly #connection: () => RtmpConnection | undefined;
  readonly #handler: MediaHandler;
  readonly #quality = new QualityMeter();
  #audio: CallAudio | undefined;
  #streams: CallStreams | undefined;
  #muted = false;
  /** Counts calls, so that what was begun for one that is over is given up. */
  #call = 0;

  constructor(devices: Devices, connection: () => RtmpConnection | undefined, handler: MediaHandler) {
    this.#devices = devices;
    this.#connection = connection;
    this.#handler = handler;
  }

  /** Whether microphone and speaker are open. */
  get open(): boolean {
    return this.#audio !== undefined;
  }

  get streaming(): boolean {
    return this.#streams !== undefined;
  }

  /**
   * Asks for the microphone. Called from a click: browsers start sound only then.
   * @returns false when the call was over before the microphone was there
   * @throws SonoPhoneError
   */
  async openAudio(): Promise<boolean> {
    const call = ++this.#call;
    try {
      const { microphone, speaker } = this.#devices;
      const audio = await CallAudio.open(
        {
          said: (message) => this.#streams?.say(message),
          level: (said, heard) => this.#level(said, heard),
          failed: (error) => this.#handler.failed(error),
          statistics: (counts) => {
            this.#handler.quality(this.#quality.second(counts));
            const connection = this.#connection();
            if (connection !== undefined) void this.#quality.measure(connection);
          },
        },
        { ...(microphone !== undefined && { microphone }), ...(speaker !== undefined && { speaker }) },
      );
      if (call !== this.#call) {
        audio.close();
        return false;
      }
      this.#audio = audio;
      audio.mute(this.#muted);
      return true;
    } catch (error) {
      if (call === this.#call) throw error;
      return false;
    }
  }

  async openStreams(): Promise<void> {
    this.closeStreams();
    const connection = this.#connection();
    if (connection === undefined) return;
    const streams = new CallStreams();
    this.#streams = streams;
    try {
      await streams.open(connection, (timestamp, message) => this.#audio?.play(timestamp, message));
    } catch (cause) {
      if (this.#streams === streams)
        this.#handler.failed(new SonoPhoneError('Stream.Failed', 'The gateway takes no audio.', { cause }));
    }
  }

  closeStreams(): void {
    this.#streams?.close();
    this.#streams = undefined;
  }

  close(): void {
    this.#call++;
    this.closeStreams();
    this.#quality.reset();
    this.#audio?.close();
    this.#audio = undefined;
  }

  mute(muted: boolean): void {
    this.#muted = muted;
    this.#audio?.mute(muted);
  }

  async useDevice(kind: 'microphone' | 'speaker', id: string | undefined): Promise<void> {
    try {
      if (kind === 'microphone') await this.#audio?.useMicrophone(id);
      else await this.#audio?.useSpeaker(id ?? '');
    } catch (error) {
      this.#handler.failed(error);
    }
  }

  #level(microphone: number, speaker: number): void {
    if (this.#streams === undefined) return;
    this.#handler.level(percent(this.#muted ? 0 : microphone), percent(speaker));
  }
}

/** As an ear judges: 60 dB below the loudest is nothing. */
function percent(peak: number): number {
  return Math.round(Math.max(0, Math.min(100, 100 + (20 * Math.log10(Math.max(peak, 1e-6)) * 100) / 60)));
}
