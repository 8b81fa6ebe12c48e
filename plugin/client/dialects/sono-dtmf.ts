import type { AmfValue } from 'rtmp-server-ts';
import { toneDigits } from '../../call/ports.js';

export type DtmfArguments = { readonly digits: string; readonly ms: number } | { readonly refusal: string };

/** Digits of one command. */
const maxDigits = 32;
/** Milliseconds that a key is pressed: what receivers understand (RFC 4733 section 2.5.1), and what RTP can tell. */
const [usual, shortest, longest] = [160, 40, 4_000];

/** Reads `sendDTMF(digits[, ms])`; a single digit may be a number. */
export function readDtmf([given, ms = usual]: readonly AmfValue[]): DtmfArguments {
  const digits = typeof given === 'number' ? String(given) : given;
  if (typeof digits !== 'string' || digits === '')
    return { refusal: 'sendDTMF needs digits, for example sendDTMF("123#")' };
  if (digits.length > maxDigits) return { refusal: `sendDTMF takes at most ${maxDigits} digits at once` };
  const upper = digits.toUpperCase();
  if ([...upper].some((digit) => !toneDigits.includes(digit))) {
    return { refusal: `${JSON.stringify(digits)} has characters that no telephone has; 0-9, *, # and A-D are allowed` };
  }
  if (typeof ms !== 'number' || !(ms >= shortest && ms <= longest)) {
    return { refusal: `a key is pressed for ${shortest} to ${longest} ms` };
  }
  return { digits: upper, ms: Math.round(ms) };
}
