import { RTMP_ERROR_CODES, type RtmpErrorCode } from '../errors/rtmp-error.js';

const SESSION_COUNTERS = ['sessions.accepted', 'sessions.refused', 'sessions.closed'] as const;

export type RtmpCounterName = (typeof SESSION_COUNTERS)[number] | RtmpErrorCode;

/** One counter for each error code, and three for sessions; all there from the start, so that a metric never appears late. */
export class RtmpCounters {
  readonly values: Record<RtmpCounterName, number>;

  constructor() {
    const names = [...SESSION_COUNTERS, ...RTMP_ERROR_CODES];
    this.values = Object.fromEntries(names.map((name) => [name, 0])) as Record<RtmpCounterName, number>;
  }

  count(name: string): void {
    if (isCounterName(this.values, name)) this.values[name] += 1;
  }
}

function isCounterName(values: object, name: string): name is RtmpCounterName {
  return Object.hasOwn(values, name);
}
