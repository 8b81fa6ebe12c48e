import type { ClientAudio, ClientCodec } from '../../call/client-audio.js';
import { type AudioTools, effortToPlay } from './audio-tools.js';
import { type AudioCodec, isForeign } from './flv-audio.js';

/** In order of preference where several take the same effort: the widest band first. */
const preferred: readonly ClientCodec[] = ['opus', 'speex', 'pcmu', 'pcma', 'nelly16', 'aac', 'mp3', 'nelly', 'nelly8'];

const isG711 = (codec: ClientCodec | undefined): boolean => codec === 'pcmu' || codec === 'pcma';

/**
 * Whether a client plays a codec. It plays what it says, and what it sends; if it does not say, Speex as well, unless it
 * sends what no far end speaks.
 */
export function plays({ receives, sends }: ClientAudio, codec: ClientCodec): boolean {
  if (codec === sends || (isG711(codec) && isG711(sends))) return true;
  if (receives !== undefined) return receives.has(codec);
  return codec === 'speex' && !(sends !== undefined && isForeign(sends));
}

/** What a client gets to hear a far end of `from` in: what it plays and takes least to make. Undefined when nothing is. */
export function heardAs(from: AudioCodec, client: ClientAudio, tools: AudioTools): ClientCodec | undefined {
  let best: ClientCodec | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const codec of preferred) {
    const effort = plays(client, codec) ? effortToPlay(from, codec, tools) : undefined;
    if (effort === undefined || effort >= least) continue;
    [best, least] = [codec, effort];
  }
  return best;
}
