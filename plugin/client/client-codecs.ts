import { type AmfValue, amfProperties, type ConnectRequest } from 'rtmp-server-ts';
import type { Timers } from '../call/call-ports.js';
import { type ClientAudio, type ClientCodec, clientCodecOf, isSequenceHeader } from '../call/client-audio.js';

/** Bits of connect's `audioCodecs`: what the client can play (RTMP specification section 7.2.1.1, SUPPORT_SND_). */
const playable: readonly (readonly [bit: number, codec: ClientCodec])[] = [
  [0x0004, 'mp3'],
  [0x0020, 'nelly8'],
  [0x0040, 'nelly'],
  [0x0080, 'pcma'],
  [0x0100, 'pcmu'],
  [0x0200, 'nelly16'],
  [0x0400, 'aac'],
  [0x0800, 'speex'],
];

/** FourCcInfoMask (Enhanced RTMP v2, "Enhancing NetConnection connect Command"). */
const canDecode = 1;

/** Milliseconds that a client which dials by publishing has to send its first message of audio, before and after its video. */
const firstMessageMs = { silent: 500, showing: 100 } as const;

/** Octets: an AudioSpecificConfig has 2 to a few dozen. */
const maxHeader = 256;

/** What one client's audio is in: learnt from its connect command and from what it sends. */
export class ClientCodecs {
  readonly #receives: ReadonlySet<ClientCodec> | undefined;
  readonly #timers: Timers;
  #sends: ClientCodec | undefined;
  #header: Uint8Array | undefined;
  #heard: (() => void) | undefined;

  constructor(request: ConnectRequest, timers: Timers) {
    this.#receives = receivesOf(request);
    this.#timers = timers;
  }

  /** Takes note of a message that the client published. */
  heard(body: Uint8Array): void {
    const codec = clientCodecOf(body);
    if (codec === undefined) return;
    this.#sends = codec;
    if (isSequenceHeader(body) && body.length <= maxHeader) this.#header = Uint8Array.from(body);
    this.#heard?.();
  }

  /**
   * @param publishing whether the client has begun to publish, and shows video already: its first message of audio is
   * waited for then, 500 ms at most, or 100
   */
  async known(publishing?: 'silent' | 'showing'): Promise<ClientAudio> {
    if (publishing && this.#sends === undefined) await this.#firstMessage(firstMessageMs[publishing]);
    return {
      ...(this.#receives && { receives: this.#receives }),
      ...(this.#sends && { sends: this.#sends }),
      ...(this.#sends === 'aac' && this.#header && { header: this.#header }),
    };
  }

  #firstMessage(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(limit, () => done());
      const done = () => {
        cancel();
        this.#heard = undefined;
        resolve();
      };
      this.#heard = done;
    });
  }
}

/** Undefined when the client says nothing of its codecs. */
function receivesOf({ audioCodecs, commandObject }: ConnectRequest): ReadonlySet<ClientCodec> | undefined {
  const codecs = new Set<ClientCodec>();
  for (const [bit, codec] of playable) if (((audioCodecs ?? 0) & bit) !== 0) codecs.add(codec);
  if (playsOpus(commandObject)) {
    // Whoever names its new codecs alone says nothing of its old ones.
    if (codecs.size === 0) codecs.add('speex');
    codecs.add('opus');
  }
  return codecs.size === 0 ? undefined : codecs;
}

function playsOpus({ fourCcList, audioFourCcInfoMap }: Readonly<Record<string, AmfValue>>): boolean {
  const listed = (amfProperties(fourCcList) ?? {}) as Readonly<Record<string, AmfValue>>;
  const names = Array.isArray(fourCcList) ? fourCcList : Object.values(listed);
  if (names.includes('Opus') || names.includes('*')) return true;
  const map = amfProperties(audioFourCcInfoMap) ?? {};
  const mask = map.Opus ?? map['*'];
  return typeof mask === 'number' && (mask & canDecode) !== 0;
}
