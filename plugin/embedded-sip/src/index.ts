export type { Clock, ScheduledCall } from './clock.js';
export { ListenError } from './errors.js';
export type { SipLogEvent } from './log.js';
export {
  DEFAULT_LIMITS,
  type EmbeddedSipLimits,
  type EmbeddedSipOptions,
  type SpeexEncoderFactory,
} from './options.js';
export { EmbeddedSip } from './server.js';
