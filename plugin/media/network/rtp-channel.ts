import type { RemoteInfo, Socket } from 'node:dgram';
import { isUnspecified, type MediaTarget } from '../rtp/media-target.js';
import { RateLimit } from '../rtp/rate-limit.js';
import { type FormerPlace, RemoteParty, type Source } from '../rtp/remote-party.js';
import { isRtcp, isStun, parseRtp, type RtpPacket } from '../rtp/rtp.js';
import type { SrtpFault } from '../srtp/srtp-receiver.js';
import { SrtpSession } from '../srtp/srtp-session.js';
import type { SrtpKeys } from '../srtp/suites.js';
import type { MediaClock } from './clock.js';
import { closeRtpSockets, isConnected, type RtpSockets, resolveHost } from './rtp-sockets.js';
import { type Sender, sendSoon } from './send-soon.js';

/** What an operator reads in the log about media. */
export interface MediaLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Takes what the far end sends. */
export interface RtpSink {
  /** Whether this payload type was agreed on: only such a packet may show where the far end is. */
  expects(payloadType: number): boolean;
  rtp(packet: RtpPacket, now: number): void;
  rtcp(bytes: Buffer, now: number): void;
}

export interface RtpChannelOptions {
  readonly callId: string;
  /** Address that the sockets are bound to. */
  readonly host: string;
  readonly sockets: RtpSockets;
  readonly clock: MediaClock;
  readonly logger?: MediaLogger;
  /** The channel cannot go on. */
  readonly failed: (reason: string) => void;
}

/** What became of datagrams that were not handed on. */
export interface ChannelFigures {
  /** From elsewhere than the far end, as far as the system has handed them over. */
  foreign: number;
  /** No RTP or RTCP. */
  malformed: number;
  /** Reports beyond what one call may send in a second. */
  droppedReports: number;
  /** SRTP that was not made with the far end's key, or was changed on the way. */
  forged: number;
  /** SRTP that came before. */
  replayed: number;
  /** Errors of the sockets that passed. */
  socketErrors: number;
}

/** Reports a second: several times what feedback about video needs. What a flood of them costs is bounded by it. */
const maxReports = 100;

/** Octets of a report; what is larger than any network carries in one piece is not looked at. */
const maxReportLength = 1500;

/** Milliseconds that packets may be on their way, or lie in a socket unread. */
const stragglerTime = 1_000;

/** Errors of a socket that say something about one packet or one moment, not about the socket. */
const passing = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EMSGSIZE', 'ENOBUFS', 'EPERM']);

/**
 * The way of one `m=` section to the far end and back: its sockets, where the far end is and who is a stranger, and the
 * protection of its packets.
 */
export class RtpChannel implements Sender {
  readonly figures: ChannelFigures = {
    foreign: 0,
    malformed: 0,
    droppedReports: 0,
    forged: 0,
    replayed: 0,
    socketErrors: 0,
  };
  readonly #options: RtpChannelOptions;
  readonly #clock: MediaClock;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #reports = new RateLimit(maxReports);
  #sink: RtpSink | undefined;
  #remote: RemoteParty | undefined;
  #srtp: SrtpSession | undefined;
  /** The last packet, which waits for the end of the turn. */
  #unsent: Buffer | undefined;
  /** Since when the RTP socket is connected to the far end, in whole milliseconds: they are part of this object. */
  #connectedAt: number | undefined;

  constructor(options: RtpChannelOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#rtp = options.sockets.rtp;
    this.#rtcp = options.sockets.rtcp;
    this.#rtp.on('message', this.#onRtp.bind(this));
    this.#rtcp.on('message', this.#onRtcp.bind(this));
    this.#rtp.on('error', this.#onError.bind(this));
    this.#rtcp.on('error', this.#onError.bind(this));
  }

  /** Whether there is somewhere to send to. */
  get reachable(): boolean {
    return this.#connectedAt !== undefined || this.#remote?.address !== undefined;
  }

  /** The crypto suite of SRTP; undefined while packets are not encrypted. */
  get suite(): string | undefined {
    return this.#srtp?.suite;
  }

  /** Protects packets with these keys from now on, in both directions; without any, not. */
  secure(keys: SrtpKeys | undefined): void {
    if (keys === undefined) this.#srtp = undefined;
    else if (this.#srtp === undefined) this.#srtp = new SrtpSession(keys);
    else this.#srtp.rekey(keys);
  }

  /** Hands what comes to `sink` from now on; before, nothing is expected. */
  open(sink: RtpSink, target: MediaTarget): void {
    this.#sink = sink;
    this.aim(target);
  }

  /** Sends there from now on. The same place as before keeps what was learnt about it. */
  aim(target: MediaTarget): void {
    if (this.#remote?.isAt(target)) return;
    this.flush();
    if (this.#connectedAt !== undefined) this.#rtp.disconnect();
    this.#connectedAt = undefined;
    const remote = new RemoteParty(target, this.#formerPlace(target));
    this.#remote = remote;
    if (isUnspecified(target.host)) return;
    resolveHost(target.host, this.#options.host, (error, address) => {
      if (!error) remote.resolved(address);
      else if (this.#remote === remote && remote.address === undefined) {
        this.#options.failed(`the far end's media address "${target.host}" cannot be used: ${error.message}`);
      }
    });
  }

  /** What is still on its way from there does not say where the far end is now; on hold it is nowhere else. */
  #formerPlace({ host }: MediaTarget): FormerPlace | undefined {
    const place = isUnspecified(host) ? undefined : this.#remote?.place;
    return place && { address: place.address, port: place.port, until: this.#clock.now() + stragglerTime };
  }

  sendRtp(packet: Buffer): void {
    if (!this.reachable) return;
    this.flush();
    this.#unsent = this.#srtp === undefined ? packet : this.#srtp.protectRtp(packet);
    sendSoon(this);
  }

  /** Sends what waits. */
  flush(): void {
    const [packet, remote] = [this.#unsent, this.#remote];
    this.#unsent = undefined;
    if (packet === undefined || remote === undefined || this.#sink === undefined) return;
    try {
      if (this.#connectedAt !== undefined) this.#rtp.send(packet);
      else this.#rtp.send(packet, remote.port, remote.address);
    } catch (error) {
      this.#onError(error as NodeJS.ErrnoException);
    }
  }

  sendRtcp(packet: Buffer): void {
    const remote = this.#remote;
    if (remote?.address === undefined || remote.rtcpPort === 0) return;
    this.flush();
    const bytes = this.#srtp === undefined ? packet : this.#srtp.protectRtcp(packet);
    if (remote.muxed && this.#connectedAt !== undefined) this.#rtp.send(bytes);
    else (remote.muxed ? this.#rtp : this.#rtcp).send(bytes, remote.rtcpPort, remote.address);
  }

  close(): void {
    this.flush();
    this.#sink = undefined;
    closeRtpSockets(this.#options.sockets);
  }

  #onRtp(datagram: Buffer, source: RemoteInfo): void {
    const [sink, remote] = [this.#sink, this.#remote];
    if (sink === undefined || remote === undefined || isStun(datagram)) return;
    const now = this.#clock.now();
    // What lay in the socket when it was connected has been read by then: nothing comes from elsewhere any more.
    const alone = this.#connectedAt !== undefined && now - this.#connectedAt > stragglerTime;
    if (!alone && !remote.admits(source, now)) {
      this.figures.foreign++;
      return;
    }
    if (isRtcp(datagram)) {
      this.#report(sink, datagram, now);
      return;
    }
    const bytes = this.#opened(this.#srtp === undefined ? datagram : this.#srtp.openRtp(datagram));
    if (bytes === undefined) return;
    const packet = parseRtp(bytes);
    if (typeof packet === 'string') {
      this.figures.malformed++;
      return;
    }
    if (!alone) {
      if (!remote.knows(source) && !sink.expects(packet.payloadType)) {
        this.figures.foreign++;
        return;
      }
      if (remote.heard(source, now)) this.#tellMove(remote);
      if (this.#connectedAt === undefined && remote.settled) this.#connect(source, now);
    }
    sink.rtp(packet, now);
  }

  /**
   * From now on the system hands over nothing from elsewhere, and need not look up where each packet goes. A socket that is
   * bound to all addresses would be tied to one of them, which may be another than the far end sends to.
   */
  #connect({ address, port }: Source, now: number): void {
    if (isUnspecified(this.#options.host)) return;
    this.#rtp.connect(port, address);
    this.#connectedAt = isConnected(this.#rtp) ? Math.trunc(now) : undefined;
  }

  #onRtcp(datagram: Buffer, source: RemoteInfo): void {
    const [sink, remote] = [this.#sink, this.#remote];
    if (sink === undefined || remote === undefined || isStun(datagram)) return;
    if (!remote.admitsRtcp(source)) this.figures.foreign++;
    else if (this.#report(sink, datagram, this.#clock.now())) remote.heardRtcp(source);
  }

  /** Hands a report on; whether it looked like one. */
  #report(sink: RtpSink, datagram: Buffer, now: number): boolean {
    if (!this.#reports.passes(now)) {
      this.figures.droppedReports++;
      return false;
    }
    if (datagram.length > maxReportLength) {
      this.figures.malformed++;
      return false;
    }
    const bytes = this.#opened(this.#srtp === undefined ? datagram : this.#srtp.openRtcp(datagram));
    if (bytes === undefined) return false;
    sink.rtcp(bytes, now);
    return isRtcp(bytes);
  }

  /** What SRTP made of a datagram; a fault is counted. */
  #opened(result: Buffer | SrtpFault): Buffer | undefined {
    if (typeof result !== 'string') return result;
    if (result === 'too-short') this.figures.malformed++;
    else if (result === 'replayed') this.figures.replayed++;
    else this.figures.forged++;
    return undefined;
  }

  #tellMove({ target, address, port }: RemoteParty): void {
    const { callId, logger } = this.#options;
    const fields = { call: callId, answer: `${target.host} ${target.port}`, actual: `${address} ${port}` };
    logger?.info(fields, 'RTP comes from elsewhere than was known; sending there');
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code !== undefined && passing.has(error.code)) this.figures.socketErrors++;
    else this.#options.failed(`an RTP socket failed: ${error.message}`);
  }
}
