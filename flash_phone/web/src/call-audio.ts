import { type FromWorklet, type ProcessorOptions, processorName, type ToWorklet } from '../worklet/messages.js';
import { assetUrl } from './assets.js';
import { loadCodec } from './codec.js';
import { SonoPhoneError } from './events.js';
import { checkSecure, openMicrophone } from './microphone.js';

type Statistics = Extract<FromWorklet, { kind: 'statistics' }>;

export interface AudioHandler {
  /** An FLV audio message of 20 ms from the microphone. */
  said(message: Uint8Array): void;
  /** 0-1. */
  level(microphone: number, speaker: number): void;
  statistics(statistics: Statistics): void;
  /** Something broke in the call; it goes on. */
  failed(error: unknown): void;
}

/** What is used of an AudioContext beyond TypeScript's types (Audio Output Devices API). */
type OutputContext = AudioContext & { setSinkId?(id: string): Promise<void> };

/** Microphone and speaker of one call. */
export class CallAudio {
  readonly #context: OutputContext;
  readonly #handler: AudioHandler;
  #microphone: MediaStream | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  #node: AudioWorkletNode | undefined;
  #muted = false;
  #closed = false;

  private constructor(handler: AudioHandler) {
    this.#handler = handler;
    this.#context = new AudioContext({ latencyHint: 'interactive' });
  }

  /**
   * Asks for the microphone. Called from a click: browsers start sound only then.
   * @throws SonoPhoneError
   */
  static async open(handler: AudioHandler, devices: { microphone?: string; speaker?: string }): Promise<CallAudio> {
    checkSecure();
    if (globalThis.AudioWorkletNode === undefined || navigator.mediaDevices === undefined) {
      throw new SonoPhoneError('Audio.Unsupported', 'This browser cannot make calls; it has no AudioWorklet.');
    }
    const audio = new CallAudio(handler);
    try {
      await audio.#open(devices);
      return audio;
    } catch (error) {
      audio.close();
      throw error;
    }
  }

  /** Plays an FLV audio message. */
  play(timestamp: number, message: Uint8Array): void {
    this.#tell({ kind: 'audio', timestamp, message });
  }

  mute(muted: boolean): void {
    this.#muted = muted;
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  async useMicrophone(deviceId: string | undefined): Promise<void> {
    const microphone = await openMicrophone(deviceId);
    stop(this.#microphone);
    this.#source?.disconnect();
    this.#microphone = microphone;
    if (this.#closed) stop(microphone);
    else this.#attach(microphone);
  }

  async useSpeaker(deviceId: string): Promise<void> {
    if (this.#context.setSinkId === undefined) {
      throw new SonoPhoneError('Speaker.Unsupported', 'This browser plays on the speaker that the system has chosen.');
    }
    await this.#context.setSinkId(deviceId);
  }

  close(): void {
    this.#closed = true;
    this.#tell({ kind: 'close' });
    stop(this.#microphone);
    if (this.#context.state !== 'closed') void this.#context.close();
  }

  async #open({ microphone, speaker }: { microphone?: string; speaker?: string }): Promise<void> {
    const loaded = this.#context.audioWorklet.addModule(assetUrl('sono-phone-worklet.js')).catch((cause) => {
      throw new SonoPhoneError('Audio.Unsupported', 'The audio part of the phone could not be loaded.', { cause });
    });
    // While the person is asked for the microphone, the rest is loaded.
    const [opened, speex] = await Promise.all([openMicrophone(microphone), loadCodec(), loaded]);
    this.#microphone = opened;
    // The speaker that was chosen once may be gone: then the system's own is used.
    if (speaker !== undefined) await this.#context.setSinkId?.(speaker).catch(() => {});
    await this.#context.resume();
    const processorOptions: ProcessorOptions = speex === undefined ? {} : { speex };
    const node = new AudioWorkletNode(this.#context, processorName, {
      processorOptions,
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [1],
      channelCount: 1,
      channelCountMode: 'explicit',
    });
    this.#node = node;
    node.port.onmessage = ({ data }: { data: FromWorklet }) => this.#received(data);
    node.onprocessorerror = () =>
      this.#handler.failed(new SonoPhoneError('Audio.Failed', 'The audio of this call has broken down; call again.'));
    node.connect(this.#context.destination);
    this.#attach(opened);
  }

  #attach(microphone: MediaStream): void {
    if (this.#node === undefined) return;
    this.#source = this.#context.createMediaStreamSource(microphone);
    this.#source.connect(this.#node);
    this.mute(this.#muted);
    const [track] = microphone.getAudioTracks();
    // Only what was pulled out ends by itself: the call goes on with another one.
    if (track) track.onended = () => void this.useMicrophone(undefined).catch((error) => this.#handler.failed(error));
  }

  #received(data: FromWorklet): void {
    if (this.#closed) return;
    if (data.kind === 'audio') this.#handler.said(data.message);
    else if (data.kind === 'level') this.#handler.level(data.microphone, data.speaker);
    else this.#handler.statistics(data);
  }

  #tell(message: ToWorklet): void {
    this.#node?.port.postMessage(message);
  }
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
