import { statusNames } from './phone.js';

/** What happens, as it is told line by line. */
export type Progress =
  | { readonly event: 'connecting'; readonly url: string }
  | { readonly event: 'connected'; readonly protocol: string }
  | { readonly event: 'registered'; readonly uri: string }
  | { readonly event: 'dialling'; readonly uri: string }
  | {
      readonly event: 'status';
      readonly code: number;
      readonly sipStatus: number | undefined;
      readonly reason: string | undefined;
    }
  | {
      readonly event: 'incoming';
      readonly uri: string | undefined;
      readonly from: string | undefined;
      readonly displayName: string | undefined;
    }
  | { readonly event: 'digits'; readonly digits: string }
  | { readonly event: 'told'; readonly code: string; readonly details: unknown }
  | { readonly event: 'refused'; readonly command: string; readonly code: string; readonly description: string }
  | { readonly event: 'hanging up' };

/** The call in figures. Times in milliseconds. */
export interface Summary {
  readonly exitCode: number;
  readonly answered: boolean;
  /** Whether something else than silence was heard. */
  readonly audible: boolean;
  readonly sipStatus: number | undefined;
  readonly reason: string | undefined;
  /** From the call to the far end's first sign. */
  readonly ringMs: number | undefined;
  readonly answerMs: number | undefined;
  readonly durationMs: number | undefined;
  readonly sent: number;
  readonly dropped: number;
  readonly received: number;
  readonly unusable: number;
  readonly missing: number;
  readonly late: number;
  readonly longestGapMs: number;
  /** The loudest sample heard, of 32768. */
  readonly peak: number;
  /** Where the far end is an echo: from what was said until it was heard. */
  readonly roundTripMs: number | undefined;
}

export interface Reporter {
  readonly tell: (progress: Progress) => void;
  readonly sum: (summary: Summary) => void;
}

type Write = (text: string) => void;

/** For a person. */
export function textReporter(write: Write): Reporter {
  const start = performance.now();
  return {
    tell: (progress) =>
      write(`${((performance.now() - start) / 1000).toFixed(3).padStart(8)} s  ${phrase(progress)}\n`),
    sum: (summary) =>
      write(
        `\n${rows(summary)
          .map(([name, value]) => `  ${name.padEnd(18)} ${value}\n`)
          .join('')}`,
      ),
  };
}

/** For a program: a line of JSON for each event; `ms` from the start. */
export function jsonReporter(write: Write): Reporter {
  const start = performance.now();
  const line = (event: object) => write(`${JSON.stringify({ ms: Math.round(performance.now() - start), ...event })}\n`);
  return {
    tell: (progress) =>
      line(progress.event === 'status' ? { ...progress, name: statusNames[progress.code] } : progress),
    sum: (summary) => line({ event: 'summary', ...rounded(summary) }),
  };
}

/** Only what went wrong. */
export function quietReporter(write: Write): Reporter {
  return {
    tell: () => {},
    sum: (summary) => {
      if (summary.exitCode !== 0) write(`phone: ${verdict(summary)}\n`);
    },
  };
}

function phrase(progress: Progress): string {
  switch (progress.event) {
    case 'connecting':
      return `connecting to ${plain(progress.url)}`;
    case 'connected':
      return `connected by ${progress.protocol}`;
    case 'registered':
      return `registered: ${plain(progress.uri)}`;
    case 'dialling':
      return `dialling ${plain(progress.uri)}`;
    case 'status':
      return `status ${progress.code} ${statusNames[progress.code] ?? 'unknown'}${because(progress)}`;
    case 'incoming':
      return `call from ${plain(progress.displayName ?? '')} <${plain(progress.from ?? '')}>`;
    case 'digits':
      return `sending the digits ${progress.digits}`;
    case 'told':
      return `${plain(progress.code)} ${plain(JSON.stringify(progress.details))}`;
    case 'refused':
      return `${progress.command} refused: ${plain(progress.code)}, ${plain(progress.description)}`;
    case 'hanging up':
      return 'hanging up';
  }
}

/** What a peer wrote must not control the terminal: control and format characters are shown by their numbers. */
function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function because({
  sipStatus,
  reason,
}: {
  readonly sipStatus?: number | undefined;
  readonly reason?: string | undefined;
}) {
  const parts = [sipStatus, reason].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` (${plain(parts.join(' '))})`;
}

function verdict(summary: Summary): string {
  if (!summary.answered) return `no call${because(summary)}`;
  if (summary.exitCode === 0) return `answered and heard${because(summary)}`;
  return `answered, ${summary.audible ? 'heard' : 'but nothing was heard'}${because(summary)}`;
}

function rows(summary: Summary): [string, string][] {
  const { sent, dropped, received, unusable, missing, late } = summary;
  const inMs = (value: number | undefined, otherwise: string) =>
    value === undefined ? otherwise : `${Math.round(value)} ms`;
  const result: [string, string] = ['result', verdict(summary)];
  if (!summary.answered) return [result];
  return [
    result,
    ['time to ring', inMs(summary.ringMs, 'did not ring')],
    ['time to answer', inMs(summary.answerMs, '-')],
    ['duration', inMs(summary.durationMs, '-')],
    ['packets sent', `${sent}, ${dropped} dropped`],
    ['packets received', `${received}, ${missing} missing, ${late} late, ${unusable} unusable`],
    ['longest gap', inMs(summary.longestGapMs, '-')],
    ['loudest heard', summary.peak === 0 ? 'silence' : `${(20 * Math.log10(summary.peak / 32_768)).toFixed(0)} dB`],
    ['round trip', inMs(summary.roundTripMs, 'the far end is no echo')],
  ];
}

/** Microseconds are noise. */
function rounded(summary: Summary): object {
  return Object.fromEntries(
    Object.entries(summary).map(([name, value]) => [name, typeof value === 'number' ? Math.round(value) : value]),
  );
}
