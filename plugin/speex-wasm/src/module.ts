/** A compiled `WebAssembly.Module` of libspeex: may be posted to workers and AudioWorklets. */
export type SpeexModule = object;

/** The exports of native/speex.c. States are addresses in the module's memory. */
export interface SpeexExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  packet(): number;
  samples(): number;
  createEncoder(band: number): number;
  destroyEncoder(state: number): void;
  createDecoder(band: number): number;
  destroyDecoder(state: number): void;
  controlEncoder(state: number, request: number, value: number): number;
  setVbrQuality(state: number, quality: number): number;
  controlDecoder(state: number, request: number, value: number): number;
  encode(state: number): number;
  open(length: number): void;
  decode(state: number): number;
  conceal(state: number): void;
}

/** What is used of WebAssembly's JavaScript interface, which is part neither of ECMAScript's types nor of Node's. */
interface WebAssemblyInterface {
  compile(bytes: Uint8Array): Promise<SpeexModule>;
  readonly Instance: new (module: SpeexModule, imports: object) => { readonly exports: SpeexExports };
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };

/**
 * Compiles the content of speex.wasm.
 *
 * @throws CompileError when the bytes are no WebAssembly
 */
export const compileSpeex = (bytes: Uint8Array): Promise<SpeexModule> => WebAssembly.compile(bytes);

export const instantiate = (module: SpeexModule): SpeexExports => new WebAssembly.Instance(module, {}).exports;
