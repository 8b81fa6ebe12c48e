import type { RtmpStream } from 'rtmp-server-ts';
import type { ClientFrame } from '../call/ports.js';

/** Which streams play the call of one client. */
export interface ClientStreams {
  publish(name: string): void;
  join(stream: RtmpStream, name: string): void;
  leave(stream: RtmpStream): void;
  /** True when at least one stream took the frame. */
  play(frame: ClientFrame): boolean;
  /** The call is over. */
  ended(): void;
}

/** A phone's streams: all that it plays play its call, whatever their names. */
export class PhoneStreams implements ClientStreams {
  readonly #playing = new Set<RtmpStream>();

  publish(): void {}

  join(stream: RtmpStream): void {
    this.#playing.add(stream);
  }

  leave(stream: RtmpStream): void {
    this.#playing.delete(stream);
  }

  play(frame: ClientFrame): boolean {
    return playOn(this.#playing, frame);
  }

  /** The phone closes its streams itself, and may keep them for the next call. */
  ended(): void {}
}

/** The streams that wait for or play what encoders receive, by the name they play. */
export type SharedStreams = Map<string, Set<RtmpStream>>;

/**
 * An encoder's streams: who plays the published name hears the call, on this connection or on another one from the same
 * address. The address is part of the key so that nobody else's call can be heard by guessing whom they called.
 */
export class EncoderStreams implements ClientStreams {
  readonly #shared: SharedStreams;
  readonly #remoteAddress: string;
  readonly #joined = new Map<RtmpStream, string>();
  #published: string | undefined;

  constructor(shared: SharedStreams, remoteAddress: string) {
    this.#shared = shared;
    this.#remoteAddress = remoteAddress;
  }

  publish(name: string): void {
    this.#published = this.#key(name);
  }

  join(stream: RtmpStream, name: string): void {
    const key = this.#key(name);
    this.#joined.set(stream, key);
    const playing = this.#shared.get(key) ?? new Set();
    this.#shared.set(key, playing.add(stream));
  }

  leave(stream: RtmpStream): void {
    const key = this.#joined.get(stream);
    this.#joined.delete(stream);
    if (key === undefined) return;
    const playing = this.#shared.get(key);
    playing?.delete(stream);
    if (playing?.size === 0) this.#shared.delete(key);
  }

  play(frame: ClientFrame): boolean {
    return playOn(this.#shared.get(this.#published ?? '') ?? [], frame);
  }

  /** Players have nothing else to tell them that the call is over. */
  ended(): void {
    for (const stream of [...(this.#shared.get(this.#published ?? '') ?? [])]) stream.stopPlay();
  }

  #key(name: string): string {
    return `${this.#remoteAddress} ${name}`;
  }
}

function playOn(streams: Iterable<RtmpStream>, { kind, timestamp, payload }: ClientFrame): boolean {
  let taken = false;
  for (const stream of streams) {
    const sent = kind === 'audio' ? stream.sendAudio(timestamp, payload) : stream.sendVideo(timestamp, payload);
    taken ||= sent;
  }
  return taken;
}
