import { RtmpError } from '../errors/rtmp-error.js';
import type { AmfLimits } from './limits.js';

/** What is being encoded has used of the limits. AMF0 and AMF3 share it, as one switches to the other within a message. */
export class EncodeBudget {
  readonly #limits: AmfLimits;
  #elements = 0;
  #depth = 0;

  constructor(limits: AmfLimits) {
    this.#limits = limits;
  }

  /** @throws RtmpError `amf.elements` */
  addElement(): void {
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
