import type { RemoteInfo, Socket } from 'node:dgram';
import { isUnspecified, type MediaTarget } from '../rtp/media-target.js';
import { RemoteParty } from '../rtp/remote-party.js';
import { isRtcp, parseRtp, type RtpPacket } from '../rtp/rtp.js';
import type { MediaClock } from './clock.js';
import { closeRtpSockets, type RtpSockets, resolveHost } from './rtp-sockets.js';

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

/** Errors of a socket that say something about one packet or one moment, not about the socket. */
const passing = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EMSGSIZE', 'ENOBUFS', 'EPERM']);

/** The way of one `m=` section to the far end and back: its sockets, where the far end is, and who is a stranger. */
export class RtpChannel {
  /** Datagrams from elsewhere than the far end. */
  foreign = 0;
  malformed = 0;
  socketErrors = 0;
  readonly #options: RtpChannelOptions;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #sink: RtpSink | undefined;
  #remote: RemoteParty | undefined;

  constructor(options: RtpChannelOptions) {
    this.#options = options;
    this.#rtp = options.sockets.rtp;
    this.#rtcp = options.sockets.rtcp;
    this.#rtp.on('message', this.#onRtp);
    this.#rtcp.on('message', this.#onRtcp);
    this.#rtp.on('error', this.#onError);
    this.#rtcp.on('error', this.#onError);
  }

  /** Whether there is somewhere to send to. */
  get reachable(): boolean {
    return this.#remote?.address !== undefined;
  }

  /** Hands what comes to `sink` from now on; before, nothing is expected. */
  open(sink: RtpSink, target: MediaTarget): void {
    this.#sink = sink;
    this.aim(target);
  }

  /** Sends there from now on. The same place as before keeps what was learnt about it. */
  aim(target: MediaTarget): void {
    if (this.#remote?.isAt(target)) return;
    const remote = new RemoteParty(target);
    this.#remote = remote;
    if (isUnspecified(target.host)) return;
    resolveHost(target.host, this.#options.host, (error, address) => {
      if (!error) remote.resolved(address);
      else if (this.#remote === remote && !remote.latched) {
        this.#options.failed(`the far end's media address "${target.host}" cannot be used: ${error.message}`);
      }
    });
  }

  sendRtp(packet: Buffer): void {
    const remote = this.#remote;
    if (remote?.address !== undefined) this.#rtp.send(packet, 0, packet.length, remote.port, remote.address);
  }

  sendRtcp(packet: Buffer): void {
    const remote = this.#remote;
    if (remote?.address === undefined || remote.rtcpPort === 0) return;
    this.#rtcp.send(packet, 0, packet.length, remote.rtcpPort, remote.address);
  }

  close(): void {
    this.#sink = undefined;
    closeRtpSockets(this.#options.sockets);
  }

  readonly #onRtp = (bytes: Buffer, source: RemoteInfo): void => {
    const [sink, remote] = [this.#sink, this.#remote];
    if (sink === undefined || remote === undefined) return;
    if (remote.isStranger(source)) {
      this.foreign++;
      return;
    }
    const now = this.#options.clock.now();
    if (isRtcp(bytes)) {
      sink.rtcp(bytes, now);
      return;
    }
    const packet = parseRtp(bytes);
    if (typeof packet === 'string') {
      this.malformed++;
      return;
    }
    if (!remote.latched) {
      if (!sink.expects(packet.payloadType)) {
        this.foreign++;
        return;
      }
      this.#latch(remote, source);
    }
    sink.rtp(packet, now);
  };

  #latch(remote: RemoteParty, source: RemoteInfo): void {
    if (!remote.latch(source)) return;
    const { callId, logger } = this.#options;
    const { host, port } = remote.target;
    const fields = { call: callId, answer: `${host} ${port}`, actual: `${source.address} ${source.port}` };
    logger?.info(fields, 'RTP comes from elsewhere than the answer says; sending there');
  }

  readonly #onRtcp = (bytes: Buffer, source: RemoteInfo): void => {
    if (this.#sink === undefined) return;
    if (this.#remote?.address === source.address) this.#sink.rtcp(bytes, this.#options.clock.now());
    else this.foreign++;
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== undefined && passing.has(error.code)) this.socketErrors++;
    else this.#options.failed(`an RTP socket failed: ${error.message}`);
  };
}
