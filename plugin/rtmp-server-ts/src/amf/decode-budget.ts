import { RtmpError } from '../errors/rtmp-error.js';
import type { AmfLimits } from './limits.js';
import type { AmfValue } from './values.js';

/** A value that references may mean, with what it takes: an entry of a reference table. */
export interface Referable {
  value: AmfValue;
  /** Bytes, were all references in it written out. Negative while the value is being read: a reference to it then is a loop. */
  size: number;
  /** Levels of objects and arrays, itself included. */
  height: number;
}

interface Frame extends Referable {
  readonly start: number;
  readonly deepestBefore: number;
}

/** What the values of one message have used of the limits. AMF0 and AMF3 share it, as one switches to the other within a message. */
export class DecodeBudget {
  readonly #limits: AmfLimits;
  #elements = 0;
  #depth = 0;
  /** The greatest depth within the object that is being read. */
  #deepest = 0;
  #referencedBytes = 0;

  constructor(limits: AmfLimits) {
    this.#limits = limits;
  }

  /** @throws RtmpError `amf.elements` */
  addElement(): void {
    this.#elements += 1;
    if (this.#elements > this.#limits.elements) this.#refuseElements();
  }

  /** Before room is made for that many. @throws RtmpError `amf.elements` */
  checkCount(count: number): void {
    if (count > this.#limits.elements) this.#refuseElements();
  }

  /** How far the message would have been read at `offset`, were all references in it written out. */
  spelledOut(offset: number): number {
    return offset + this.#referencedBytes;
  }

  /** Begins an object or array. @throws RtmpError `amf.depth` */
  open(offset: number): Frame {
    this.#depth += 1;
    this.#checkDepth(this.#depth);
    const start = this.spelledOut(offset);
    const frame = { value: undefined, size: -1, height: 0, start, deepestBefore: this.#deepest };
    this.#deepest = this.#depth;
    return frame;
  }

  close(frame: Frame, offset: number): void {
    frame.size = this.spelledOut(offset) - frame.start;
    frame.height = this.#deepest - this.#depth + 1;
    if (frame.deepestBefore > this.#deepest) this.#deepest = frame.deepestBefore;
    this.#depth -= 1;
  }

  /** @throws RtmpError `amf.depth`, `amf.referenced-bytes` */
  refer({ value, size, height }: Referable): AmfValue {
    if (size < 0) return value;
    const deepest = this.#depth + height;
    this.#checkDepth(deepest);
    if (deepest > this.#deepest) this.#deepest = deepest;
    this.addReferencedBytes(size);
    return value;
  }

  /** @throws RtmpError `amf.referenced-bytes` */
  addReferencedBytes(size: number): void {
    this.#referencedBytes += size;
    if (this.#referencedBytes > this.#limits.referencedBytes) {
      const { referencedBytes } = this.#limits;
      throw new RtmpError('amf.referenced-bytes', `references that stand for more than ${referencedBytes} bytes`);
    }
  }

  #checkDepth(depth: number): void {
    if (depth > this.#limits.depth) {
      throw new RtmpError('amf.depth', `objects nested deeper than ${this.#limits.depth}`);
    }
  }

  #refuseElements(): never {
    throw new RtmpError('amf.elements', `more than ${this.#limits.elements} values in one message`);
  }
}
