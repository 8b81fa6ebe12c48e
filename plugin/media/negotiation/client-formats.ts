import type { ClientAudio, ClientCodec } from '../../call/client-audio.js';
import { MediaError } from '../../call/ports.js';
import { type AudioTools, effortToSend, refusal } from '../audio/audio-tools.js';
import type { AudioCodec } from '../audio/flv-audio.js';
import { heardAs } from '../audio/heard-as.js';
import { type FormatList, formatsOf } from './own-formats.js';

/** What can be spoken for one client. */
export interface ClientFormats {
  /** What passes through comes first. */
  readonly offered: FormatList;
  readonly passing: readonly AudioCodec[];
}

/** What has not sent yet will send something that it plays; Speex if it does not say. */
function sendable({ sends, receives }: ClientAudio): readonly ClientCodec[] {
  return sends === undefined ? [...(receives ?? ['speex' as const])] : [sends];
}

/** The widest band first. */
const codecs: readonly AudioCodec[] = ['opus', 'speex', 'pcmu', 'pcma'];

/**
 * What to offer for a client, and to answer: each codec that reaches it and that can be made of what it sends.
 *
 * @throws MediaError `NoCommonCodec` when there is none
 */
export function clientFormats(client: ClientAudio, tools: AudioTools): ClientFormats {
  const possible = sendable(client);
  const effort = (to: AudioCodec) => {
    const efforts = possible.flatMap((from) => effortToSend(from, to, tools) ?? []);
    return heardAs(to, client, tools) === undefined || efforts.length === 0 ? undefined : Math.min(...efforts);
  };
  const served = codecs
    .flatMap((codec) => ({ codec, effort: effort(codec) }))
    .filter(({ effort }) => effort !== undefined);
  if (served.length === 0) {
    const [codec = 'speex'] = possible;
    const far = codecs.map((each) => ({ codec: each }));
    throw new MediaError('NoCommonCodec', `no codec in common: ${refusal(codec, 'sends', far, tools)}`);
  }
  // The sort is stable.
  const passes = (codec: AudioCodec) => possible.includes(codec) && heardAs(codec, client, tools) === codec;
  const passing = codecs.filter(passes);
  const rest = served.map(({ codec }) => codec).filter((codec) => !passes(codec));
  return { offered: formatsOf([...passing, ...rest]), passing };
}
