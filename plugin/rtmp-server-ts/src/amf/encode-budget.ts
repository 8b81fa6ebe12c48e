import { RtmpError } from '../errors/rtmp-error.js';
import type { AmfLimits } from './limits.js';

/** A message's length has 24 bits. */
const LARGEST_MESSAGE = 0xffffff;

/** What is being encoded has used of the limits. AMF0 and AMF3 share it, as one switches to the other within a message. */
export class EncodeBudget {
  readonly #limits: AmfLimits;
  #elements = 0;
  #depth = 0;

  constructor(limits: AmfLimits) {
    this.#limits = limits;
  }

  /**
   * @param length bytes written so far: a long text that is met again and again must not fill the memory before all of it is refused
   * @throws RtmpError `amf.elements`, `amf.value`
   */
  addElement(length: number): void {
    if (length > LARGEST_MESSAGE) {
      throw new RtmpError('amf.value', `more than ${LARGEST_MESSAGE} bytes, which no message holds`);
    }
    this.#elements += 1;
    if (this.#elements > this.#limits.elements) {
      throw new RtmpError('amf.elements', `more than ${this.#limits.elements} values in one message`);
    }
  }

  /** Begins an object or array. @throws RtmpError `amf.depth` */
  open(): void {
    this.#depth += 1;
    if (this.#depth > this.#limits.depth) {
      throw new RtmpError('amf.depth', `objects nested deeper than ${this.#limits.depth}`);
    }
  }

  close(): void {
    this.#depth -= 1;
  }
}
