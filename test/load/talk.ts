import { setTimeout as sleep } from 'node:timers/promises';

/** A wideband Speex frame of quality 8, 42 octets, behind its FLV octet. */
export const frameLength = 43;

const numberAt = 20;

// Narrowband sub-mode 5 (300 bits), then the wideband layer's sub-mode 1 (36 bits): 336 bits, 42 octets.
const frame = Buffer.alloc(frameLength);
frame[0] = 0xb2;
frame[1] = 0b00101000;
// Bit 300 starts the wideband layer: 1 (wideband), then 001 (sub-mode 1).
frame[38] = 0b00001001;

/** A frame that carries its number: codebook indices, where any bits are valid. */
function numberedFrame(number: number): Buffer {
  const numbered = Buffer.from(frame);
  numbered.writeUInt32BE(number, numberAt);
  return numbered;
}

/** Sends frames in time and measures how long each takes to come back. */
export class Talk {
  /** Milliseconds there and back, of each frame that came. */
  readonly delays: number[] = [];
  readonly #send: (timestamp: number, frame: Buffer) => void;
  readonly #sentAt: number[] = [];

  constructor(send: (timestamp: number, frame: Buffer) => void) {
    this.#send = send;
  }

  /** Sends `frames` frames, one each 20 ms by the clock, whatever the timer does. */
  async run(frames: number, offset: number): Promise<void> {
    const start = performance.now() + offset;
    for (let i = 0; i < frames; i++) {
      const wait = start + i * 20 - performance.now();
      if (wait > 0) await sleep(wait);
      this.#sentAt[i] = performance.now();
      this.#send(i * 20, numberedFrame(i));
    }
  }

  /** A frame has come back. */
  heard(bytes: Uint8Array): void {
    if (bytes.length < frameLength) return;
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(numberAt);
    const sentAt = this.#sentAt[number];
    if (sentAt === undefined || Number.isNaN(sentAt)) return;
    this.delays.push(performance.now() - sentAt);
    this.#sentAt[number] = Number.NaN;
  }
}
