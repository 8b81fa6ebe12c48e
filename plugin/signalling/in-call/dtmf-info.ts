import { type Tone, toneDigits } from '../../call/ports.js';

/** Milliseconds of a key whose duration nobody gave. */
const usualDuration = 160;

/** Longest body that is looked at. */
const maxLength = 512;

export const dtmfRelay = 'application/dtmf-relay';

export function writeDtmfRelay({ digit, duration }: Tone): string {
  return `Signal=${digit}\r\nDuration=${duration}\r\n`;
}

/**
 * Reads the body of an INFO that presses a key: `Signal=5`, `Duration=160` of application/dtmf-relay, or only the key of
 * application/dtmf. Flash hook and event numbers above 15 are no keys.
 */
export function readDtmfInfo(contentType: string, body: string): Tone | undefined {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase();
  const relay = type === dtmfRelay;
  if ((!relay && type !== 'application/dtmf') || body.length > maxLength) return undefined;
  const signal = (relay ? /^[ \t]*Signal[ \t]*=[ \t]*(\S+)/im : /^\s*(\S+)/).exec(body)?.[1] ?? '';
  const digit = /^1[0-5]$/.test(signal) ? toneDigits[Number(signal)] : signal.toUpperCase();
  if (digit?.length !== 1 || !toneDigits.includes(digit)) return undefined;
  const duration = Number(/^[ \t]*Duration[ \t]*=[ \t]*(\d{1,5})[ \t]*\r?$/im.exec(body)?.[1] ?? usualDuration);
  return { digit, duration };
}
