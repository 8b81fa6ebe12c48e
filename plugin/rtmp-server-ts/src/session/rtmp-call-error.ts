import { type AmfValue, amfProperties } from '../amf/values.js';
import { RtmpError, type RtmpErrorCode } from '../errors/rtmp-error.js';

/** The peer answered a call with `_error`, or a request of a stream with a status that says no. */
export class RtmpCallError extends RtmpError {
  /** The arguments of the answer; the first is usually an information object. */
  readonly info: readonly AmfValue[];

  constructor(name: string, info: readonly AmfValue[], code: RtmpErrorCode = 'call.failed') {
    super(code, `${name} was answered with an error${reason(info[0])}`);
    this.info = info;
  }
}

function reason(info: AmfValue): string {
  const { code, description } = amfProperties(info) ?? {};
  const texts = [code, description].filter((value) => typeof value === 'string' && value !== '');
  return texts.length > 0 ? `: ${texts.join(', ')}` : '';
}
