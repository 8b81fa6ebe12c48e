import { type AmfValue, amfProperties, type DataMessage, parseFlvVideoTag } from 'rtmp-server-ts';
import type { ClientFrame, ClientVideo } from '../call/ports.js';
import { isKeyFrame } from './flv-video.js';

/** How metadata names H.264: FLV's number, the FourCC as text, and as the number that Enhanced RTMP makes of it. */
const avcNames: readonly AmfValue[] = [7, 'avc1', 0x61766331];

const fourCc = [0x61, 0x76, 0x63, 0x31];

/** What is kept of the pictures since a key frame: older ones would only be late, and more would be a burst. */
const recentLimits = { ms: 1_000, octets: 1024 * 1024 };

/** What is known of the video that a client publishes: its sequence header, which encoders send once, at the start. */
export class PublishedVideo {
  #header: Uint8Array | undefined;
  #seen = false;
  /** Pictures from a key frame on. */
  #recent: ClientFrame[] = [];
  #recentOctets = 0;

  /** Undefined while the client publishes no H.264. */
  get current(): ClientVideo | undefined {
    if (!this.#seen) return undefined;
    return this.#header === undefined ? {} : { sequenceHeader: this.#header, recent: this.#recent };
  }

  /** A publish began or ended. */
  reset(): void {
    this.#header = undefined;
    this.#seen = false;
    this.#forget();
  }

  /** The metadata of the stream says that there is H.264. */
  announced(): void {
    this.#seen = true;
  }

  /**
   * Takes a video message into account.
   *
   * @param heard Whether it goes to a call: then it need not be kept.
   */
  message(frame: ClientFrame, heard: boolean): void {
    const kind = kindOf(frame.payload);
    if (kind === undefined) return;
    this.#seen = true;
    if (kind === 'header') this.#header = frame.payload;
    if (heard) this.#forget();
    else if (kind === 'picture') this.#keep(frame);
  }

  #keep(frame: ClientFrame): void {
    const [first] = this.#recent;
    if (isKeyFrame(frame.payload)) this.#forget();
    else if (first === undefined) return;
    this.#recent.push(frame);
    this.#recentOctets += frame.payload.length;
    const duration = (frame.timestamp - (this.#recent[0]?.timestamp ?? 0)) >>> 0;
    if (duration > recentLimits.ms || this.#recentOctets > recentLimits.octets) this.#forget();
  }

  #forget(): void {
    this.#recent = [];
    this.#recentOctets = 0;
  }
}

function kindOf(payload: Uint8Array): 'header' | 'picture' | undefined {
  const tag = parseFlvVideoTag(payload);
  if (tag?.enhanced) {
    if (fourCc.some((character, index) => payload[1 + index] !== character)) return undefined;
    return ((payload[0] ?? 0) & 0x0f) === 0 ? 'header' : 'picture';
  }
  if (tag?.codec !== 'avc') return undefined;
  return tag.avcPacketType === 'sequence-header' ? 'header' : 'picture';
}

/** What a data message says of the stream that follows: undefined when it is no metadata. */
export function readMetadata({ name, values }: DataMessage): { readonly video: boolean } | undefined {
  const [first, second] = values;
  const framed = name === '@setDataFrame' && first === 'onMetaData';
  const properties = amfProperties(framed ? second : name === 'onMetaData' ? first : undefined);
  return properties && { video: avcNames.includes(properties.videocodecid) };
}
