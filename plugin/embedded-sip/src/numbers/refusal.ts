import type { SipRequest } from '../message/message.js';
import type { HeaderLine } from '../message/serialise.js';

/** What a number may be required to do: answer without unreliable 1xx, and let the caller refresh the session. */
const SUPPORTED = new Set(['100rel', 'timer']);

export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly HeaderLine[];
}

/** Why an INVITE or UPDATE is not looked at any further (RFC 3261 section 8.2.2.3 and 8.2.3). */
export function refusalOf({ headers, body }: SipRequest): Refusal | undefined {
  const unsupported = headers.list('require').filter((option) => !SUPPORTED.has(option.toLowerCase()));
  if (unsupported.length > 0)
    return { status: 420, reason: 'Bad Extension', headers: [['Unsupported', unsupported.join(', ')]] };
  const [type = ''] = (headers.get('content-type') ?? 'application/sdp').split(';');
  if (body === '' || type.trim().toLowerCase() === 'application/sdp') return undefined;
  return { status: 415, reason: 'Unsupported Media Type', headers: [['Accept', 'application/sdp']] };
}
