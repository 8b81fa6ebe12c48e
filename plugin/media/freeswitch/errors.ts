import { MediaError } from '../../call/ports.js';

/** What an error of a server means for the call: a refusal of the description is not the server's fault. */
export function mediaErrorOf(error: unknown): MediaError {
  if (error instanceof MediaError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (isNotAcceptable(error)) return new MediaError('NoCommonCodec', `FreeSWITCH takes none of the codecs: ${reason}`);
  return new MediaError('NoServer', reason, { cause: error });
}

/** 488 Not Acceptable Here, as drachtio-srf tells it. */
function isNotAcceptable(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 488;
}
