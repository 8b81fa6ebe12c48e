import type { OtherCall, ShownCall } from './calls.js';

/** SIP's reasons (RFC 3261 section 21) in the words of a telephone. */
const failures: Readonly<Record<number, string>> = {
  403: 'This call is not allowed.',
  404: 'There is nobody at this address.',
  408: 'Nobody answered.',
  410: 'There is nobody at this address any more.',
  480: 'They cannot be reached at the moment.',
  484: 'This number is incomplete.',
  486: 'The line is busy.',
  487: 'The call was cancelled.',
  488: 'The other side has no audio format in common with this phone.',
  503: 'The other side cannot be reached.',
  600: 'The line is busy.',
  603: 'The call was declined.',
  604: 'There is nobody at this address.',
};

/** What is said at the end of a call; nothing to who has ended it. @param lost whether the gateway is not reached any more */
export function endWords(
  call: ShownCall,
  { sipStatus, reason }: { readonly sipStatus?: number; readonly reason?: string },
  lost: boolean,
): string {
  if (call.hungUp) return '';
  if (!call.outgoing && call.answeredAt === undefined) return `Missed call from ${partyWords(call).name}.`;
  if (call.answeredAt === undefined || sipStatus !== undefined) return failureWords(sipStatus, reason && tame(reason));
  return lost && reason !== undefined ? `The call was lost: ${tame(reason)}.` : 'The other side has ended the call.';
}

/** What is said at the end of the call besides the one that is talked in. */
export function otherEndWords({ call, state }: OtherCall, reason: string | undefined): string {
  const { name } = partyWords(call);
  if (state === 'waiting') return `Missed call from ${name}.`;
  return `The held call with ${name} is over${reason ? ` (${tame(reason)})` : ''}.`;
}

function failureWords(sipStatus: number | undefined, reason: string | undefined): string {
  const words = sipStatus === undefined ? undefined : failures[sipStatus];
  return words ?? (reason ? `The call failed: ${reason}.` : 'The call failed.');
}

/** What of a SIP address a person reads. */
export function shortAddress(uri: string): string {
  return uri.replace(/^sips?:/i, '').replace(/[;?].*$/, '');
}

export function duration(seconds: number): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(Math.floor(seconds) % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** Texts from callers may be of any length and hold signs that change the direction of what follows. */
export function tame(text: string, longest = 120): string {
  const plain = text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, ' ').trim();
  return plain.length > longest ? `${plain.slice(0, longest)}…` : plain;
}

/** What is shown of who is called or calls. */
export function partyWords(
  party: Pick<ShownCall, 'address' | 'name'> | undefined,
): Pick<ShownCall, 'address' | 'name'> {
  const address = tame(shortAddress(party?.address ?? ''));
  return { address, name: party?.name || address.replace(/@.*$/, '') || 'Unknown' };
}
