import { concat } from '../bytes/concat.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { authority, type Target } from './target.js';
import { type HttpPoster, TUNNEL_CONTENT_TYPE } from './tunnel-client.js';

/** POST by the platform's fetch. @param maxBytes of an answer's body */
export function fetchPoster(target: Target, maxBytes: number): HttpPoster {
  const origin = `${target.protocol === 'rtmpts' ? 'https' : 'http'}://${authority(target)}`;
  return {
    post: async (path, body, signal) => {
      const headers = { 'Content-Type': TUNNEL_CONTENT_TYPE };
      const response = await fetch(origin + path, { method: 'POST', body, headers, signal });
      return { status: response.status, body: await read(response, maxBytes) };
    },
    close: () => {},
  };
}

async function read({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {};
    if (done || value === undefined) return concat(parts, length);
    length += value.length;
    if (length > maxBytes) {
      await reader?.cancel();
      throw new RtmpError('tunnel.answer', `an answer of more than ${maxBytes} bytes`);
    }
    parts.push(value);
  }
}
