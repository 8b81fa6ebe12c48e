import { SpeexCodec, type SpeexModule } from 'speex-wasm';
import { loadSpeex } from 'speex-wasm/node';

/** The module that the build made; a test without it must fail, not be skipped. */
export async function speexModule(): Promise<SpeexModule> {
  const module = await loadSpeex();
  if (module === undefined) throw new Error('speex-wasm is not built: run npm run build, which says what it needs');
  return module;
}

export async function speexCodec(): Promise<SpeexCodec> {
  return new SpeexCodec(await speexModule());
}
