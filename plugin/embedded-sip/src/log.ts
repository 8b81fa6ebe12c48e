/** What the server reports about itself; quiet while everything goes right. */
export type SipLogEvent =
  | { readonly event: 'sip-dropped'; readonly reason: string; readonly from: string; readonly count: number }
  | { readonly event: 'tcp-closed'; readonly reason: string; readonly peer: string }
  | { readonly event: 'transport-error'; readonly reason: string; readonly peer: string }
  | { readonly event: 'limit-reached'; readonly limit: string; readonly value: number }
  | { readonly event: 'control-connected'; readonly peer: string }
  | { readonly event: 'control-closed'; readonly peer: string; readonly reason: string }
  | { readonly event: 'number-ended'; readonly number: string; readonly reason: string; readonly callId: string };

export type SipLogger = (event: SipLogEvent) => void;
