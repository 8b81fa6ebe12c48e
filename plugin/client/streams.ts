import type { ClientFrame } from '../call/ports.js';
import { Playback, type Player } from './player.js';

/** Which streams play the call of one client. */
export interface ClientStreams {
  publish(name: string): void;
  join(player: Player, name: string): void;
  leave(player: Player): void;
  /** True when at least one stream took the frame. */
  play(frame: ClientFrame): boolean;
  /** What comes next is another call's. */
  switched(): void;
  /** The call is over. */
  ended(): void;
}

/** A phone's streams: all that it plays play its call, whatever their names. */
export class PhoneStreams implements ClientStreams {
  #playing: readonly Player[] = [];
  readonly #playback: Playback;

  /** @param keyFrameNeeded asks the far end for a key frame */
  constructor(keyFrameNeeded: () => void) {
    this.#playback = new Playback(keyFrameNeeded);
  }

  publish(): void {}

  join(player: Player): void {
    player.reset();
    this.leave(player);
    this.#playing = [...this.#playing, player];
  }

  leave(player: Player): void {
    this.#playing = this.#playing.filter((other) => other !== player);
  }

  play(frame: ClientFrame): boolean {
    return this.#playback.play(this.#playing, frame);
  }

  switched(): void {
    this.#playback.reset();
    for (const player of this.#playing) player.reset();
  }

  /** The phone closes its streams itself, and may keep them for the next call. */
  ended(): void {
    this.switched();
  }
}

/** The streams that wait for or play what encoders receive, by the name they play. */
export type SharedStreams = Map<string, Set<Player>>;

/**
 * An encoder's streams: who plays the published name hears the call, on this connection or on another one from the same
 * address. The address is part of the key so that nobody else's call can be heard by guessing whom they called.
 */
export class EncoderStreams implements ClientStreams {
  readonly #shared: SharedStreams;
  readonly #remoteAddress: string;
  readonly #joined = new Map<Player, string>();
  readonly #playback: Playback;
  #published: string | undefined;

  /** @param keyFrameNeeded asks the far end for a key frame */
  constructor(shared: SharedStreams, remoteAddress: string, keyFrameNeeded: () => void) {
    this.#shared = shared;
    this.#remoteAddress = remoteAddress;
    this.#playback = new Playback(keyFrameNeeded);
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

  play(frame: ClientFrame): boolean {
    return this.#playback.play(this.#heard, frame);
  }

  switched(): void {
    this.#playback.reset();
    for (const player of this.#heard) player.reset();
  }

  /** Players have nothing else to tell them that the call is over. */
  ended(): void {
    this.#playback.reset();
    for (const player of [...this.#heard]) player.stop();
  }

  /** Who plays the call. */
  get #heard(): Iterable<Player> {
    return this.#shared.get(this.#published ?? '') ?? [];
  }

  #key(name: string): string {
    return `${this.#remoteAddress} ${name}`;
  }
}
