export type { Clock, ScheduledCall } from './clock.js';
export { ListenError } from './errors.js';
export type { SipLogEvent } from './log.js';
export { DEFAULT_LIMITS, type EmbeddedSipLimits, type EmbeddedSipOptions } from './options.js';
export { EmbeddedSip } from './server.js';
