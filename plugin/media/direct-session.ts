import { randomBytes, randomInt } from 'node:crypto';
import type { RemoteInfo, Socket } from 'node:dgram';
import type { ClientFrame, MediaOptions, MediaReport, MediaSession } from '../call/ports.js';
import type { SessionDescription } from '../call/session-description.js';
import { AudioReceiver } from './audio-receiver.js';
import { AudioSender, type SendFormat } from './audio-sender.js';
import type { MediaClock } from './clock.js';
import {
  type AudioAgreement,
  agreeAudio,
  answerAudio,
  type FormatList,
  isUnspecified,
  type MediaTarget,
  offerAudio,
  passThroughFormats,
  transcodingFormats,
} from './formats.js';
import { RemoteParty } from './remote-party.js';
import { RtcpSession } from './rtcp-session.js';
import { isRtcp, parseRtp } from './rtp.js';
import { closeRtpSockets, type RtpSockets, resolveHost } from './rtp-sockets.js';
import type { Ticker } from './ticker.js';
import type { Transcoding } from './transcoding.js';

/** What an operator reads in the log about media. */
export interface MediaLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface DirectSessionOptions {
  readonly call: MediaOptions;
  /** Address that the sockets are bound to. */
  readonly host: string;
  readonly advertisedAddress: string;
  readonly sockets: RtpSockets;
  readonly clock: MediaClock;
  readonly ticker: Ticker;
  /** Is told when the sockets are closed. */
  readonly released: () => void;
  readonly logger?: MediaLogger;
  /** Without it Speex passes through, and nothing else is spoken. */
  readonly transcoding?: Transcoding;
}

/** Milliseconds between two RTCP reports on average; each interval varies by half (RFC 3550 section 6.2). */
const reportInterval = 5_000;

/** Errors of a socket that say something about one packet or one moment, not about the socket. */
const passing = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EMSGSIZE', 'ENOBUFS', 'EPERM']);

/** What exists once the far end has answered. */
interface Flow {
  agreement: AudioAgreement;
  remote: RemoteParty;
  readonly sender: AudioSender;
  readonly receiver: AudioReceiver;
  readonly rtcp: RtcpSession;
}

/** The RTP of one call. */
export class DirectSession implements MediaSession {
  readonly offer: SessionDescription;
  readonly #options: DirectSessionOptions;
  readonly #formats: FormatList;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #flow: Flow | undefined;
  #closed = false;
  #failed = false;
  #nextReport = 0;
  /** Datagrams from elsewhere than the far end. */
  #foreign = 0;
  #malformed = 0;
  /** Messages of the client that could not be sent: no answer yet, or hold. */
  #notSent = 0;
  #socketErrors = 0;
  #report: MediaReport | undefined;

  constructor(options: DirectSessionOptions) {
    const { advertisedAddress, sockets } = options;
    this.#options = options;
    this.#rtp = sockets.rtp;
    this.#rtcp = sockets.rtcp;
    this.#formats = options.transcoding === undefined ? passThroughFormats : transcodingFormats;
    this.offer = offerAudio(advertisedAddress, sockets.port, this.#formats);
    this.#rtp.on('message', this.#onRtp);
    this.#rtcp.on('message', this.#onRtcp);
    this.#rtp.on('error', this.#onSocketError);
    this.#rtcp.on('error', this.#onSocketError);
  }

  accept(answer: SessionDescription): void {
    this.#start(agreeAudio(answer, this.#formats));
  }

  check(offer: SessionDescription): void {
    this.#answerTo(offer);
  }

  answer(offer: SessionDescription): SessionDescription {
    const { agreement, answer } = this.#answerTo(offer);
    this.#start(agreement);
    return answer;
  }

  #answerTo(offer: SessionDescription) {
    const { advertisedAddress, sockets } = this.#options;
    return answerAudio(offer, advertisedAddress, sockets.port, this.#formats);
  }

  #start(agreement: AudioAgreement): void {
    if (this.#closed) return;
    const flow = this.#flow;
    if (flow === undefined) this.#startFlow(agreement);
    else this.#changeFlow(flow, agreement);
  }

  write(frame: ClientFrame): void {
    const flow = this.#flow;
    if (flow === undefined || this.#closed || !flow.agreement.sending || flow.remote.address === undefined) {
      this.#notSent++;
      return;
    }
    this.#contain(() => flow.sender.write(frame, this.#options.clock.now(), this.#send));
  }

  close(): MediaReport {
    if (this.#report !== undefined) return this.#report;
    const flow = this.#flow;
    this.#closed = true;
    this.#options.ticker.delete(this.#tick);
    if (flow !== undefined) this.#sendRtcp(flow, true);
    closeRtpSockets(this.#options.sockets);
    this.#options.released();
    this.#report = this.#measure(flow);
    this.#contain(() => {
      flow?.sender.free();
      flow?.receiver.free();
    });
    return this.#report;
  }

  #startFlow(agreement: AudioAgreement): void {
    const { call, transcoding } = this.#options;
    const shared = transcoding === undefined ? {} : { transcoding };
    const sender = new AudioSender({
      ...sendFormat(agreement),
      ...shared,
      ssrc: randomBytes(4).readUInt32BE(),
      sequence: randomInt(2 ** 16),
      timestamp: randomBytes(4).readUInt32BE(),
    });
    const clientCodec = () => sender.clientCodec;
    const receiver = new AudioReceiver({ formats: agreement.receive, play: call.play, clientCodec, ...shared });
    const rtcp = new RtcpSession({ cname: randomBytes(12).toString('base64'), sender, receiver });
    this.#flow = { agreement, remote: this.#locate(agreement.target), sender, receiver, rtcp };
    this.#nextReport = this.#options.clock.now() + nextInterval();
    this.#options.ticker.add(this.#tick);
  }

  /** A further answer in the same call: hold, resumption, another address or codec. */
  #changeFlow(flow: Flow, agreement: AudioAgreement): void {
    flow.agreement = agreement;
    if (!flow.remote.isAt(agreement.target)) flow.remote = this.#locate(agreement.target);
    flow.sender.use(sendFormat(agreement), this.#options.clock.now());
    flow.receiver.formats = agreement.receive;
  }

  #locate(target: MediaTarget): RemoteParty {
    const remote = new RemoteParty(target);
    if (isUnspecified(target.host)) return remote;
    resolveHost(target.host, this.#options.host, (error, address) => {
      if (!error) remote.resolved(address);
      else if (this.#flow?.remote === remote && !remote.latched) {
        this.#fail(`the far end's media address "${target.host}" cannot be used: ${error.message}`);
      }
    });
    return remote;
  }

  readonly #send = (packet: Buffer): void => {
    const remote = this.#flow?.remote;
    if (remote?.address === undefined) return;
    this.#rtp.send(packet, 0, packet.length, remote.port, remote.address);
  };

  readonly #onRtp = (bytes: Buffer, source: RemoteInfo): void => {
    const flow = this.#flow;
    if (flow === undefined) return;
    if (flow.remote.isStranger(source)) {
      this.#foreign++;
      return;
    }
    const now = this.#options.clock.now();
    if (isRtcp(bytes)) {
      flow.rtcp.receive(bytes, now);
      return;
    }
    const packet = parseRtp(bytes);
    if (typeof packet === 'string') {
      this.#malformed++;
      return;
    }
    if (!flow.remote.latched) {
      if (flow.agreement.receive[packet.payloadType] === undefined) {
        this.#foreign++;
        return;
      }
      this.#latch(flow.remote, source);
    }
    this.#contain(() => flow.receiver.receive(packet, now));
  };

  #latch(remote: RemoteParty, source: RemoteInfo): void {
    if (!remote.latch(source)) return;
    const { call, logger } = this.#options;
    const { host, port } = remote.target;
    const fields = { call: call.callId, answer: `${host} ${port}`, actual: `${source.address} ${source.port}` };
    logger?.info(fields, 'RTP comes from elsewhere than the answer says; sending there');
  }

  readonly #onRtcp = (bytes: Buffer, source: RemoteInfo): void => {
    const flow = this.#flow;
    if (flow === undefined) return;
    if (flow.remote.address === source.address) flow.rtcp.receive(bytes, this.#options.clock.now());
    else this.#foreign++;
  };

  readonly #onSocketError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== undefined && passing.has(error.code)) this.#socketErrors++;
    else this.#fail(`an RTP socket failed: ${error.message}`);
  };

  readonly #tick = (now: number): void => {
    const flow = this.#flow;
    if (flow === undefined) return;
    this.#contain(() => flow.receiver.tick(now));
    if (now < this.#nextReport) return;
    this.#nextReport = now + nextInterval();
    this.#sendRtcp(flow, false);
  };

  #sendRtcp(flow: Flow, bye: boolean): void {
    const { address, rtcpPort } = flow.remote;
    if (address === undefined || rtcpPort === 0) return;
    const report = flow.rtcp.report(this.#options.clock.now(), bye);
    this.#rtcp.send(report, 0, report.length, rtcpPort, address);
  }

  /** What a codec throws, of whatever it was given, ends the media of this call and not the process. */
  #contain(action: () => void): void {
    try {
      action();
    } catch (error) {
      const reason = `the audio could not be processed: ${error instanceof Error ? error.message : String(error)}`;
      queueMicrotask(() => this.#fail(reason));
    }
  }

  #fail(reason: string): void {
    if (this.#closed || this.#failed) return;
    this.#failed = true;
    this.#options.call.lost(reason);
  }

  #measure(flow: Flow | undefined): MediaReport {
    const own = { engine: 'direct', foreign: this.#foreign, notSent: this.#notSent, socketErrors: this.#socketErrors };
    if (flow === undefined) return own;
    const { sender, receiver, rtcp, agreement } = flow;
    return {
      ...own,
      codec: `${agreement.send.encoding}/${agreement.send.clockRate}`,
      ...(sender.clientCodec === undefined ? {} : { clientCodec: sender.clientCodec }),
      packetsSent: sender.packets,
      bytesSent: sender.octets,
      packetsReceived: receiver.packets,
      bytesReceived: receiver.octets,
      transcodedFromClient: sender.transcoded,
      transcodedToClient: receiver.transcoded,
      concealedFromClient: sender.concealed,
      concealedToClient: receiver.concealed,
      lost: receiver.lost,
      reordered: receiver.window.reordered,
      duplicates: receiver.window.duplicates,
      late: receiver.window.late,
      outOfRange: receiver.window.outOfRange,
      droppedSlowReader: receiver.droppedSlowReader,
      telephoneEvents: receiver.telephoneEvents,
      unknownPayloadType: receiver.unknownPayloadType,
      malformed: this.#malformed + receiver.malformed + rtcp.malformed,
      malformedFromClient: sender.malformed,
      unsupportedFromClient: sender.unsupported,
      jitterMs: Math.round(receiver.jitter * 10) / 10,
      remoteLost: rtcp.remoteLost,
      ...(rtcp.roundTrip === undefined ? {} : { roundTripMs: Math.round(rtcp.roundTrip * 10) / 10 }),
    };
  }
}

function sendFormat({ codec, packetDuration, send: { payloadType, clockRate } }: AudioAgreement): SendFormat {
  return { codec, packetDuration, payloadType, clockRate };
}

function nextInterval(): number {
  return reportInterval * (0.5 + Math.random());
}
