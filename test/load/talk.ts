import { setTimeout as sleep } from 'node:timers/promises';

/** A wideband Speex frame of quality 8, 42 octets, behind its FLV octet. */
export const frameLength = 43;

const numberAt = 20;
const callAt = 24;

// Narrowband sub-mode 5 (300 bits), then the wideband layer's sub-mode 1 (36 bits): 336 bits, 42 octets.
const frame = Buffer.alloc(frameLength);
frame[0] = 0xb2;
frame[1] = 0b00101000;
// Bit 300 starts the wideband layer: 1 (wideband), then 001 (sub-mode 1).
frame[38] = 0b00001001;

/** A frame that carries its number and its call's: codebook indices, where any bits are valid. */
function numberedFrame(number: number, call: number): Buffer {
  const numbered = Buffer.from(frame);
  numbered.writeUInt32BE(number, numberAt);
  numbered.writeUInt16BE(call, callAt);
  return numbered;
}

/** @param start of the Speex payload, which the FLV octet is before */
export function readFrame(bytes: Uint8Array, start: number): { readonly number: number; readonly call: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start - 1);
  return { number: view.getUint32(numberAt), call: view.getUint16(callAt) };
}

/** Sends numbered frames and measures how long each takes to come back. */
export class Talk {
  /** Milliseconds there and back, of each frame that came. */
  readonly delays: number[] = [];
  /** When each frame was sent; NaN once it has come back. */
  readonly sentAt: number[] = [];
  readonly #send: (timestamp: number, frame: Buffer) => void;
  readonly #call: number;
  readonly #began = performance.now();

  constructor(send: (timestamp: number, frame: Buffer) => void, call = 0) {
    this.#send = send;
    this.#call = call;
  }

  /** Nothing was said so far: what is still on its way does not count. */
  forget(): void {
    this.delays.length = 0;
    this.sentAt.fill(Number.NaN);
  }

  /** Sends the next frame. Pauses show in its timestamp. */
  say(): void {
    const now = performance.now();
    const frame = numberedFrame(this.sentAt.length, this.#call);
    this.sentAt.push(now);
    this.#send(Math.round(now - this.#began), frame);
  }

  /** A frame has come back. */
  heard(bytes: Uint8Array): void {
    if (bytes.length < frameLength) return;
    const { number } = readFrame(bytes, 1);
    const sentAt = this.sentAt[number];
    if (sentAt === undefined || Number.isNaN(sentAt)) return;
    this.delays.push(performance.now() - sentAt);
    this.sentAt[number] = Number.NaN;
  }
}

/** Lets each of `calls` calls send a frame every 20 ms, one call after the other, by the clock, whatever the timer does. */
export async function spread(
  calls: number,
  frames: number,
  send: (call: number, frame: number) => void,
): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < calls * frames; ) {
    const due = Math.min(calls * frames, ((performance.now() - start) / 20) * calls);
    for (; sent < due; sent++) send(sent % calls, Math.floor(sent / calls));
    await sleep(1);
  }
}

export function talkAll(talks: readonly Talk[], frames: number): Promise<void> {
  return spread(talks.length, frames, (call) => talks[call]?.say());
}
