import { PeerProcess, runProgram } from './process.js';
import type { Scope } from './scope.js';
import { audioMessages, encodeFlv, type FlvAudio } from './speech.js';

const quiet = ['-nostdin', '-v', 'error'];

/** Publishes speech as Speex at the pace of speech; it ends when all is sent or the server closes. */
export async function publish(scope: Scope, url: string, samples: Int16Array): Promise<PeerProcess> {
  return await publishFlv(scope, url, await encodeFlv(samples));
}

/** Publishes an FLV file at the pace of its timestamps. */
export async function publishFlv(scope: Scope, url: string, flv: Uint8Array): Promise<PeerProcess> {
  return await PeerProcess.start(
    scope,
    'ffmpeg',
    [...quiet, '-re', '-f', 'flv', '-i', '-', '-c', 'copy', '-f', 'flv', url],
    {
      input: flv,
      timeLimitMs: 60_000,
    },
  );
}

/** Plays for at most `seconds` of the stream, or until the server ends it; returns the audio messages as they came. */
export async function play(url: string, seconds: number): Promise<FlvAudio[]> {
  const input = ['-rw_timeout', '10000000', '-analyzeduration', '0', '-i', url, '-t', String(seconds)];
  const flv = await runProgram('ffmpeg', [...quiet, ...input, '-c', 'copy', '-f', 'flv', '-'], { timeLimitMs: 60_000 });
  return audioMessages(flv);
}
