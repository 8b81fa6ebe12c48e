import type { ClientCodec } from '../../call/client-audio.js';
import { type AudioCodec, type ForeignCodec, type ProgramCodec, programCodec } from './flv-audio.js';
import type { ForeignCodecs } from './foreign.js';
import type { Transcoding } from './transcoding.js';

/** What there is to make one codec of another. */
export interface AudioTools {
  /** Without it Speex and G.711 do not become one another. */
  readonly transcoding?: Transcoding;
  /** Without it only what RTP carries is taken, and Opus only where the far end has it too. */
  readonly foreign?: ForeignCodecs;
}

const isG711 = (codec: ClientCodec): boolean => codec === 'pcmu' || codec === 'pcma';

/** 0 for what passes unchanged, 1 for the other law of G.711, 2 for transcoding, 3 for another program. */
export type Effort = 0 | 1 | 2 | 3;

/** What it takes to make what the client sends into what the far end wants; undefined when it cannot be done. */
export function effortToSend(from: ClientCodec, to: AudioCodec, tools: AudioTools): Effort | undefined {
  const codec = programCodec(from, to);
  return codec === undefined ? effort(from, to, tools) : foreignEffort(to, tools, tools.foreign?.decodes(codec));
}

/** What it takes to make what the far end sends into what the client plays; undefined when it cannot be done. */
export function effortToPlay(from: AudioCodec, to: ClientCodec, tools: AudioTools): Effort | undefined {
  const codec = programCodec(to, from);
  if (codec === undefined) return effort(from, to, tools);
  return from !== 'opus' && tools.foreign?.encodes(codec) ? 3 : undefined;
}

function effort(from: ClientCodec, to: ClientCodec, { transcoding }: AudioTools): Effort | undefined {
  if (from === to) return 0;
  if (from === 'opus' || to === 'opus') return undefined;
  if (isG711(from) && isG711(to)) return 1;
  return transcoding === undefined ? undefined : 2;
}

function foreignEffort(to: AudioCodec, { transcoding }: AudioTools, decodes = false): Effort | undefined {
  const encodes = isG711(to) || (to === 'speex' && transcoding !== undefined);
  return decodes && encodes ? 3 : undefined;
}

const names: Readonly<Record<ForeignCodec | AudioCodec, string>> = {
  speex: 'Speex',
  pcmu: 'G.711 mu-law',
  pcma: 'G.711 A-law',
  opus: 'Opus',
  nelly: 'Nellymoser',
  nelly8: 'Nellymoser at 8 kHz',
  nelly16: 'Nellymoser at 16 kHz',
  aac: 'AAC',
  mp3: 'MP3',
};

/** For a person: why what the client sends or plays cannot be had, and what would help. */
export function refusal(
  client: ClientCodec,
  does: 'sends' | 'plays',
  far: readonly { readonly codec?: AudioCodec }[],
  tools: AudioTools,
): string {
  const theirs = far.map(({ codec = 'speex' }) => names[codec]).join(', ');
  const [program] = far.flatMap(({ codec = 'speex' }) => programCodec(client, codec) ?? []);
  const onlyOpus = far.every(({ codec }) => codec === 'opus');
  const help = onlyOpus ? opusHelp : remedy(program, tools);
  return `the client ${does} ${names[client]}, the far end ${theirs}; ${help}`;
}

const opusHelp = "a far end's Opus is not transcoded: let the client use it, or the far end something else";

function remedy(codec: ProgramCodec | undefined, { foreign, transcoding }: AudioTools): string {
  const decoded = codec === undefined || foreign?.decodes(codec);
  if (decoded && transcoding === undefined) return 'that takes the Speex codec, which was not built';
  if (foreign !== undefined) return 'this FFmpeg has no such codec: let the client use Speex or G.711';
  return 'that takes FFmpeg: install it, or name it by SONO_FFMPEG, or let the client use Speex or G.711';
}
