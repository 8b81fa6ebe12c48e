import type { ClientAudio } from '../../call/client-audio.js';
import type { ClientFrame, FramePlayer, MediaReport, Tone } from '../../call/ports.js';
import type { AudioAgreement } from '../negotiation/formats.js';
import { RtcpSession } from '../rtp/rtcp-session.js';
import type { RtpPacket } from '../rtp/rtp.js';
import { AudioReceiver, type AudioReceiverOptions } from './audio-receiver.js';
import { AudioSender, type PacketSink, type SendFormat } from './audio-sender.js';
import type { AudioTools } from './audio-tools.js';
import { DtmfReceiver } from './dtmf-receiver.js';
import { DtmfSender } from './dtmf-sender.js';
import { forOneCall } from './foreign.js';

export interface AudioFlowOptions extends AudioTools {
  /** Takes the frames for the client. */
  readonly player: FramePlayer;
  readonly out: PacketSink;
  /** Time alone is going to change something: {@link AudioFlow.tick} has to be called. */
  readonly wake?: () => void;
  /** What is known of the client. */
  readonly client?: ClientAudio;
  /** Is told why what one side sends cannot be carried. Called from within methods. */
  readonly refused?: (reason: string) => void;
  /** The far end has pressed a key. */
  readonly dtmf?: (tone: Tone) => void;
  /** RTMP timestamp for what arrives first, at a moment of the clock. Default 0. */
  readonly origin?: (arrival: number) => number;
  /** Names the call in RTCP, the same for all its sources (RFC 3550 section 6.5.1). */
  readonly cname: string;
  readonly ssrc: number;
  /** First sequence number and timestamp; random in a call (RFC 3550 section 5.1). */
  readonly sequence: number;
  readonly timestamp: number;
}

/** The audio of an answered call in both directions. Deterministic. */
export class AudioFlow {
  readonly sender: AudioSender;
  readonly receiver: AudioReceiver;
  readonly #rtcp: RtcpSession;
  readonly #dtmfSender: DtmfSender;
  readonly #dtmfReceiver: DtmfReceiver;
  readonly #wake: () => void;
  readonly #expected: ClientAudio['sends'];
  #agreement: AudioAgreement;
  #sending: boolean;
  /** Whether a key is being pressed, as the sender of keys says: at hand for each packet. There is no audio meanwhile. */
  #pressing = false;

  constructor(agreement: AudioAgreement, options: AudioFlowOptions) {
    const { player, wake = () => undefined, cname, client, foreign, dtmf = () => undefined, ...rest } = options;
    const shared = { ...rest, ...(foreign && { foreign: forOneCall(foreign) }) };
    const receives = client?.receives;
    this.#agreement = agreement;
    this.#sending = agreement.sending;
    this.#wake = wake;
    this.sender = new AudioSender({
      ...sendFormat(agreement),
      ...shared,
      ...(client?.header && { header: client.header }),
      uses: (codec) => this.receiver.clientSends(codec),
    });
    const formats = agreement.receive;
    this.#dtmfReceiver = new DtmfReceiver(dtmf);
    const event: AudioReceiverOptions['event'] = (payload, timestamp, clockRate, arrival) => {
      this.#dtmfReceiver.receive(payload, timestamp, clockRate, arrival);
      if (this.#dtmfReceiver.waits) this.#wake();
    };
    this.receiver = new AudioReceiver({
      ...{ formats, player, event, ...shared },
      ...(receives && { receives }),
      ...(client?.sends && { sends: client.sends }),
    });
    const carrier = {
      claim: (now: number, ms: number) => this.sender.claim(now, ms),
      send: (payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array) =>
        this.sender.event(payloadType, marker, timestamp, payload),
    };
    this.#dtmfSender = new DtmfSender(carrier, agreement.events);
    this.#rtcp = new RtcpSession({ cname, sender: this.sender, receiver: this.receiver });
    this.#expected = client?.sends;
  }

  /** Starts what takes time to start, as far as it is known what both sides are going to send. */
  prepare(): void {
    if (this.#expected !== undefined) this.sender.expect(this.#expected);
    this.receiver.expect(this.sender.codec);
  }

  /** Whether the far end wants to receive. */
  get sending(): boolean {
    return this.#sending;
  }

  /** A further answer in the same call: hold, resumption, another address or codec. */
  change(agreement: AudioAgreement, now: number): void {
    this.#agreement = agreement;
    this.#sending = agreement.sending;
    this.sender.use(sendFormat(agreement), now);
    this.receiver.use(agreement.receive);
    this.#dtmfSender.format = agreement.events;
  }

  expects(payloadType: number): boolean {
    return this.#agreement.receive[payloadType] !== undefined;
  }

  rtp(packet: RtpPacket, now: number): void {
    this.receiver.receive(packet, now);
    if (this.receiver.waits) this.#wake();
  }

  rtcp(bytes: Uint8Array, now: number): void {
    this.#rtcp.receive(bytes, now);
  }

  /** A message that the client published. While a key is pressed it is not heard (RFC 4733 section 2.5.1). */
  write(frame: ClientFrame, now: number): void {
    if (this.#pressing) return;
    this.sender.write(frame, now);
    if (this.sender.waits) this.#wake();
  }

  /** Presses keys. False where the far end takes no events, or wants to hear nothing. */
  sendDtmf(digits: string, ms: number): boolean {
    if (!this.sending || !this.#dtmfSender.push(digits, ms)) return false;
    this.#pressing = this.#dtmfSender.busy;
    this.#wake();
    return true;
  }

  /** Whether it has to be called again, also when nothing else happens. */
  tick(now: number): boolean {
    this.receiver.tick(now);
    if (this.sending && !this.#pressing) this.sender.tick(now);
    this.#dtmfReceiver.tick(now);
    this.#dtmfSender.tick(now);
    this.#pressing = this.#dtmfSender.busy;
    return this.receiver.waits || this.sender.waits || this.#dtmfReceiver.waits || this.#pressing;
  }

  /** The RTCP packet that is due. */
  report(now: number, bye: boolean): Buffer {
    return this.#rtcp.report(now, bye);
  }

  /** RTMP timestamp that the client's audio has at a moment; undefined before its first message. */
  clientTimeAt(now: number): number | undefined {
    return this.sender.sourceTimeAt(now);
  }

  /** RTMP timestamp that the far end's audio has at a moment of the far end's clock, once a sender report tells. */
  clientTimeAtSender(senderTime: number): number | undefined {
    const { timeline, ssrc } = this.receiver;
    const clock = this.#rtcp.senderClock;
    if (clock === undefined || clock.ssrc !== ssrc) return undefined;
    const elapsed = Math.round(((senderTime - clock.time) * timeline.clockRate) / 1000);
    return timeline.timeOf(clock.rtpTimestamp + elapsed);
  }

  /** Gives back the memory of codecs. */
  free(): void {
    this.sender.free();
    this.receiver.free();
  }

  /** What the README's table "Figures of a call" explains. */
  figures(): MediaReport {
    const { sender, receiver } = this;
    const rtcp = this.#rtcp;
    return {
      codec: `${sender.codec}/${sender.clockRate}`,
      ...(sender.clientCodec === undefined ? {} : { clientCodec: sender.clientCodec }),
      ...(receiver.heard === undefined ? {} : { heard: receiver.heard }),
      packetsSent: sender.packets,
      bytesSent: sender.octets,
      packetsReceived: receiver.packets,
      bytesReceived: receiver.octets,
      played: receiver.played,
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
      comfortNoise: receiver.comfortNoise,
      comfortNoiseSent: sender.comfortNoise,
      dtmfSent: this.#dtmfSender.sent,
      dtmfDropped: this.#dtmfSender.dropped,
      unknownPayloadType: receiver.unknownPayloadType,
      malformed: receiver.malformed + this.#dtmfReceiver.malformed + rtcp.malformed,
      lateFromClient: sender.late,
      malformedFromClient: sender.malformed,
      unsupportedFromClient: sender.unsupported,
      jitterMs: tenths(receiver.jitter),
      remoteLost: rtcp.remoteLost,
      ...(rtcp.remoteJitter === undefined ? {} : { remoteJitterMs: tenths(rtcp.remoteJitter) }),
      ...(rtcp.roundTrip === undefined ? {} : { roundTripMs: tenths(rtcp.roundTrip) }),
    };
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

function sendFormat({ codec, packetDuration, send, others, noise }: AudioAgreement): SendFormat {
  const { payloadType, clockRate } = send;
  return { codec, packetDuration, payloadType, clockRate, others, ...(noise && { noise: noise.payloadType }) };
}
