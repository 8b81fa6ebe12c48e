import { isIP } from 'node:net';

/** Direction of a media description, as its author means it (RFC 4566 section 6). */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface MediaDescription {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  /** Payload types, in order of preference. */
  readonly formats: readonly string[];
  /** Connection address, its own or the session's; undefined when there is none or it is no literal IP address. */
  readonly address: string | undefined;
  readonly direction: Direction;
  /** rtpmap, fmtp, ptime and the like, without `a=`, as written. */
  readonly formatLines: readonly string[];
}

const MAX_MEDIA = 16;
const DIRECTIONS: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
const FORMAT_LINE = /^(?:rtpmap|fmtp|ptime|maxptime)(?=:)/;

/** Parses what echo needs of a session description; undefined when it is none. Total and linear. */
export function parseSdp(text: string): readonly MediaDescription[] | undefined {
  if (!text.startsWith('v=0')) return undefined;
  const sections = text.split(/\r?\n(?=m=)/);
  if (sections.length > MAX_MEDIA + 1) return undefined;
  const [session = '', ...media] = sections;
  const sessionLines = session.split(/\r?\n/);
  const address = connectionOf(sessionLines);
  const direction = directionOf(sessionLines) ?? 'sendrecv';
  const parsed: MediaDescription[] = [];
  for (const section of media) {
    const lines = section.split(/\r?\n/);
    const match = /^m=(\S+) (\d{1,5})(?:\/\d+)? (\S+) (.+)$/.exec(lines[0] ?? '');
    if (!match || Number(match[2]) > 65535) return undefined;
    parsed.push({
      kind: match[1] ?? '',
      port: Number(match[2]),
      protocol: match[3] ?? '',
      formats: (match[4] ?? '').trim().split(/ +/),
      address: connectionOf(lines) ?? address,
      direction: directionOf(lines) ?? direction,
      formatLines: lines
        .filter((line) => line.startsWith('a='))
        .map((line) => line.slice(2))
        .filter((line) => FORMAT_LINE.test(line)),
    });
  }
  return parsed;
}

function connectionOf(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const match = /^c=IN IP[46] ([0-9a-fA-F.:]+)/.exec(line);
    if (match) return match[1];
  }
  return undefined;
}

function directionOf(lines: readonly string[]): Direction | undefined {
  for (const line of lines)
    if (line.startsWith('a=') && DIRECTIONS.has(line.slice(2))) return line.slice(2) as Direction;
  return undefined;
}

export interface LocalMedia {
  readonly kind: string;
  /** 0 refuses the medium. */
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly direction: Direction;
  readonly formatLines: readonly string[];
}

/** What answers a medium that is not taken (RFC 3264 section 6). */
export function refused({ kind, protocol, formats }: MediaDescription): LocalMedia {
  return { kind, port: 0, protocol, formats, formatLines: [], direction: 'inactive' };
}

/** Writes the descriptions of one session: the same origin, one version after the other (RFC 3264 section 8). */
export class SessionWriter {
  readonly #name: string;
  readonly #address: string;
  readonly #id = Date.now();
  #version = 0;

  constructor(name: string, address: string) {
    this.#name = name;
    this.#address = address;
  }

  write(media: readonly LocalMedia[]): string {
    this.#version++;
    const family = this.#address.includes(':') ? 'IP6' : 'IP4';
    const lines = [
      'v=0',
      `o=${this.#name} ${this.#id} ${this.#version} IN ${family} ${this.#address}`,
      `s=${this.#name}`,
      `c=IN ${family} ${this.#address}`,
      't=0 0',
    ];
    for (const { kind, port, protocol, formats, direction, formatLines } of media) {
      lines.push(`m=${kind} ${port} ${protocol} ${formats.join(' ')}`);
      if (port === 0) continue;
      for (const line of formatLines) lines.push(`a=${line}`);
      lines.push(`a=${direction}`);
    }
    return `${lines.join('\r\n')}\r\n`;
  }
}

const PLAIN_RTP = new Set(['RTP/AVP', 'RTP/AVPF']);

/** Whether a medium is there and not encrypted. */
export function isPlainRtp(media: MediaDescription): boolean {
  return PLAIN_RTP.has(media.protocol) && media.port !== 0;
}

export interface Destination {
  readonly address: string;
  readonly port: number;
}

/** Where the author of a description wants packets; undefined where it names no literal address, or is held. */
export function destinationOf(media: MediaDescription): Destination | undefined {
  const { address, port } = media;
  return address !== undefined && isIP(address) !== 0 && !isHeld(media) ? { address, port } : undefined;
}

/** RFC 2543 hold: an address of zeros means that nothing may be sent. */
export function isHeld({ address }: MediaDescription): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Whether the author of a description takes what we send. */
export function wantsToHear(media: MediaDescription): boolean {
  return !isHeld(media) && (media.direction === 'sendrecv' || media.direction === 'recvonly');
}

/** What answers a direction: the other side's sending is our receiving (RFC 3264 section 6.1). */
export function answerDirection(offered: Direction): Direction {
  if (offered === 'sendonly') return 'recvonly';
  return offered === 'recvonly' ? 'sendonly' : offered;
}
