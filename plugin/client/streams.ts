import type { ClientFrame } from '../call/ports.js';
import { isSequenceHeader } from './flv-video.js';
import type { Player } from './player.js';

/** The streams that play the call of one client. */
export abstract class ClientStreams {
  readonly #keyFrameNeeded: () => void;
  /** The call's sequence header that came last. */
  #header: Uint8Array | undefined;

  /** @param keyFrameNeeded asks the far end for a key frame: somebody could not be shown a picture for want of one */
  constructor(keyFrameNeeded: () => void) {
    this.#keyFrameNeeded = keyFrameNeeded;
  }

  abstract publish(name: string): void;
  abstract join(player: Player, name: string): void;
  abstract leave(player: Player): void;
  /** The call is over. */
  abstract ended(): void;

  /** Who plays the call. */
  protected abstract get playing(): Iterable<Player>;

  /** True when at least one stream took the frame. */
  play(frame: ClientFrame): boolean {
    if (frame.kind === 'video' && isSequenceHeader(frame.payload)) this.#header = frame.payload;
    let taken = false;
    let late = false;
    for (const player of this.playing) {
      const outcome = frame.kind === 'audio' ? player.audio(frame) : player.video(frame, this.#header);
      taken ||= outcome === 'sent';
      late ||= outcome === 'late';
    }
    if (late) this.#keyFrameNeeded();
    return taken;
  }

  /** What comes next is another call's. */
  switched(): void {
    this.#header = undefined;
    for (const player of this.playing) player.reset();
  }
}

/** A phone's streams: all that it plays play its call, whatever their names. */
export class PhoneStreams extends ClientStreams {
  #playing: readonly Player[] = [];

  publish(): void {}

  join(player: Player): void {
    player.reset();
    this.leave(player);
    this.#playing = [...this.#playing, player];
  }

  leave(player: Player): void {
    this.#playing = this.#playing.filter((other) => other !== player);
  }

  /** The phone closes its streams itself, and may keep them for the next call. */
  ended(): void {
    this.switched();
  }

  protected get playing(): readonly Player[] {
    return this.#playing;
  }
}

/** The streams that wait for or play what encoders receive, by the name they play. */
export type SharedStreams = Map<string, Set<Player>>;

/**
 * An encoder's streams: who plays the published name hears the call, on this connection or on another one from the same
 * address. The address is part of the key so that nobody else's call can be heard by guessing whom they called.
 */
export class EncoderStreams extends ClientStreams {
  readonly #shared: SharedStreams;
  readonly #remoteAddress: string;
  readonly #joined = new Map<Player, string>();
  #published: string | undefined;

  /** @param keyFrameNeeded asks the far end for a key frame */
  constructor(shared: SharedStreams, remoteAddress: string, keyFrameNeeded: () => void) {
    super(keyFrameNeeded);
    this.#shared = shared;
    this.#remoteAddress = remoteAddress;
  }

  publish(name: string): void {
    this.#published = this.#key(name);
  }

  join(player: Player, name: string): void {
    const key = this.#key(name);
    player.reset();
    this.#joined.set(player, key);
    const playing = this.#shared.get(key) ?? new Set();
    this.#shared.set(key, playing.add(player));
  }

  leave(player: Player): void {
    const key = this.#joined.get(player);
    this.#joined.delete(player);
    if (key === undefined) return;
    const playing = this.#shared.get(key);
    playing?.delete(player);
    if (playing?.size === 0) this.#shared.delete(key);
  }

  /** Players have nothing else to tell them that the call is over. */
  ended(): void {
    this.switched();
    for (const player of [...this.playing]) player.stop();
  }

  protected get playing(): Iterable<Player> {
    return this.#shared.get(this.#published ?? '') ?? [];
  }

  #key(name: string): string {
    return `${this.#remoteAddress} ${name}`;
  }
}
