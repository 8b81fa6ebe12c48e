/** The status codes of `Sono.Call.Status`, as the client sees them. */
export const CallStatus = {
  notConnected: 0,
  inProgress: 1,
  connected: 2,
  disconnecting: 3,
  connectStreams: 4,
} as const;

export type CallStatus = (typeof CallStatus)[keyof typeof CallStatus];
