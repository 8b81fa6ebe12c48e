import { compileSpeex, type SpeexModule } from 'speex-wasm';
import { assetUrl } from './assets.js';

let loading: Promise<SpeexModule | undefined> | undefined;

/**
 * Undefined when the gateway was built without libspeex, the browser has no WebAssembly, or the page's policy forbids it: the phone
 * speaks G.711 then. What failed is tried again the next time.
 */
export function loadCodec(): Promise<SpeexModule | undefined> {
  loading ??= fetchCodec().catch(() => {
    loading = undefined;
    return undefined;
  });
  return loading;
}

async function fetchCodec(): Promise<SpeexModule> {
  const response = await fetch(assetUrl('speex.wasm'));
  if (!response.ok) throw new Error(`speex.wasm: ${response.status}`);
  return await compileSpeex(new Uint8Array(await response.arrayBuffer()));
}
