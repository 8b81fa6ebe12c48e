import type { AmfValue } from '../amf/values.js';
import { RtmpError } from '../errors/rtmp-error.js';

/** The client answered a call with `_error`. */
export class RtmpCallError extends RtmpError {
  /** The arguments of `_error`; the first is usually an information object. */
  readonly info: readonly AmfValue[];

  constructor(name: string, info: readonly AmfValue[]) {
    super('call.failed', `the client answered ${name} with an error`);
    this.info = info;
  }
}
