import { runProgram } from './process.js';
import { audioMessages, type FlvAudio, sampleRate } from './speech.js';

/** FFmpeg's options for the speech, which it reads at 16 kHz and writes at the rate of G.711. */
const options = [
  '-nostdin',
  '-v',
  'error',
  '-f',
  's16le',
  '-ar',
  String(sampleRate),
  '-ac',
  '1',
  '-i',
  '-',
  '-ar',
  '8000',
];

function ffmpeg(samples: Int16Array, output: readonly string[]): Promise<Buffer> {
  const input = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return runProgram('ffmpeg', [...options, ...output, '-'], { input });
}

/** The speech as a WAV file of 8 kHz. */
export function writeTelephoneWav(samples: Int16Array): Promise<Buffer> {
  return ffmpeg(samples, ['-f', 'wav']);
}

/** The speech as FFmpeg publishes it in G.711: messages of uneven length. */
export async function encodeG711(samples: Int16Array, codec: 'PCMU' | 'PCMA'): Promise<FlvAudio[]> {
  return audioMessages(await ffmpeg(samples, ['-c:a', codec === 'PCMU' ? 'pcm_mulaw' : 'pcm_alaw', '-f', 'flv']));
}
