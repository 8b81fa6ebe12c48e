import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import type { MediaFormat, SessionDescription } from '../../../plugin/call/session-description.js';
import { parseSdp, writeSdp } from '../../../plugin/signalling/sdp/sdp.js';
import { freePortRange, loopback } from '../ports.js';
import { block, type Command, onCommand, send, sendEvent } from './event-socket.js';

/** What the stand-in speaks, in the order and under the numbers of the recorded offer. */
const spoken: readonly MediaFormat[] = [
  { payloadType: 0, encoding: 'PCMU', clockRate: 8000 },
  { payloadType: 8, encoding: 'PCMA', clockRate: 8000 },
  { payloadType: 9, encoding: 'G722', clockRate: 8000 },
  { payloadType: 102, encoding: 'opus', clockRate: 48000, channels: 2 },
  { payloadType: 103, encoding: 'SPEEX', clockRate: 8000 },
  { payloadType: 104, encoding: 'SPEEX', clockRate: 16000 },
  { payloadType: 101, encoding: 'telephone-event', clockRate: 8000 },
  { payloadType: 109, encoding: 'telephone-event', clockRate: 16000 },
  { payloadType: 107, encoding: 'telephone-event', clockRate: 48000 },
];

const isEvent = ({ encoding }: MediaFormat) => encoding.toLowerCase() === 'telephone-event';
const known = ({ encoding, clockRate }: MediaFormat) =>
  spoken.some((one) => one.encoding.toLowerCase() === encoding.toLowerCase() && one.clockRate === clockRate);

/** 20 ms of silence in each codec; Speex as a wideband encoder has it in DTX. */
const silence: Readonly<Record<string, Buffer>> = {
  speex: Buffer.from([0x04, 0x3f]),
  pcmu: Buffer.alloc(160, 0xff),
  pcma: Buffer.alloc(160, 0xd5),
  g722: Buffer.alloc(160),
  opus: Buffer.from([0xf8, 0xff, 0xfe]),
};

export interface ChannelOptions {
  readonly uuid: string;
  readonly userAgent: string;
  /** `host:port` that the channel is handed to. */
  readonly outbound: string;
  readonly run: (command: Command, channel: Channel) => string;
  /** The channel hangs up. */
  readonly hangUp: (channel: Channel) => void;
}

/** A channel of the stand-in: RTP, and the event socket that it opens to its application. */
export class Channel {
  readonly uuid: string;
  readonly port: number;
  peer: Channel | undefined;
  hung = false;
  /** What it sends and receives under the far end's numbers. */
  formats: readonly MediaFormat[] = [];
  /** Packets that came. */
  received = 0;
  readonly #options: ChannelOptions;
  readonly #rtp: UdpSocket;
  #remote: { readonly host: string; readonly port: number; readonly receives: boolean } | undefined;
  #remoteSdp = '';
  #events: Socket | undefined;
  #sequence = 0;
  #idle: NodeJS.Timeout;

  private constructor(options: ChannelOptions, rtp: UdpSocket, port: number) {
    this.uuid = options.uuid;
    this.#options = options;
    this.#rtp = rtp;
    this.port = port;
    rtp.on('message', (packet) => this.#receive(packet));
    rtp.on('error', () => {});
    // One that is not joined to another is not silent: it sends silence.
    this.#idle = setInterval(() => {
      if (!this.peer) this.#send(this.formats[0], undefined);
    }, 20);
  }

  static async open(options: ChannelOptions): Promise<Channel> {
    const { min } = await freePortRange(2);
    const rtp = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      rtp.once('error', reject);
      rtp.bind(min, loopback, resolve);
    });
    return new Channel(options, rtp, min);
  }

  /** Takes the far end's SDP. False when there is nothing in common. */
  describe(sdp: string): boolean {
    const remote = parseSdp(sdp);
    const [audio] = remote.media;
    const formats = audio?.formats.filter(known) ?? [];
    if (!audio || formats.every(isEvent)) return false;
    this.formats = formats;
    this.#remoteSdp = sdp;
    const receives = audio.direction === 'sendrecv' || audio.direction === 'recvonly';
    this.#remote = { host: audio.address ?? remote.address, port: audio.port, receives };
    return true;
  }

  /** Its own SDP: an answer to what it was told, or an offer of everything, video too. */
  get sdp(): string {
    const [audio] = parseSdp(this.#remoteSdp).media;
    const mirrored =
      audio?.direction === 'sendonly' ? 'recvonly' : audio?.direction === 'recvonly' ? 'sendonly' : audio?.direction;
    const description: SessionDescription = {
      address: loopback,
      media: [
        {
          kind: 'audio',
          port: this.port,
          protocol: 'RTP/AVP',
          direction: mirrored ?? 'sendrecv',
          formats: audio ? [...this.formats.slice(0, 1), ...this.formats.filter(isEvent)] : spoken,
          ptime: 20,
        },
        ...(audio
          ? []
          : [
              {
                kind: 'video',
                port: this.port + 100,
                protocol: 'RTP/AVP',
                direction: 'sendrecv' as const,
                formats: [{ payloadType: 106, encoding: 'H264', clockRate: 90000 }],
              },
            ]),
      ],
    };
    return writeSdp(description, { sessionId: 1, version: 1 });
  }

  /** Opens its event socket to the application. */
  connect(): void {
    const { outbound, run } = this.#options;
    const [host = '', port] = outbound.split(':');
    const socket = connect(Number(port), host);
    this.#events = socket;
    socket.on('error', () => {});
    // An application that is gone takes its channels with it.
    socket.on('close', () => this.#options.hangUp(this));
    onCommand(socket, (command) => {
      if (command.text === 'connect') socket.write(`${block(this.data)}\n`);
      else if (command.text.startsWith('sendmsg ')) {
        send(socket, { reply: '+OK' });
        if (command.headers['execute-app-name'] === 'hangup') this.#options.hangUp(this);
      } else if (command.text.startsWith('api ')) send(socket, { api: run(command, this) });
      else send(socket, { reply: '+OK' });
    });
  }

  /** What `connect` and `uuid_dump` tell. */
  get data(): Record<string, string> {
    return {
      'Event-Name': 'CHANNEL_DATA',
      'Channel-Unique-ID': this.uuid,
      'Unique-ID': this.uuid,
      'Answer-State': 'answered',
      variable_sip_user_agent: this.#options.userAgent,
      variable_rtp_local_sdp_str: this.sdp,
      variable_switch_r_sdp: this.#remoteSdp,
      variable_local_media_ip: loopback,
      variable_local_media_port: String(this.port),
      'Content-Type': 'command/reply',
      'Reply-Text': '+OK\n',
      'Socket-Mode': 'async',
      Control: 'full',
    };
  }

  /** As if 20 ms of sound came from the far end. */
  hear(): void {
    const to = this.peer;
    if (to) to.#send(to.formats[0], undefined);
  }

  /** Ends it towards its application. */
  close(): void {
    if (this.hung) return;
    this.hung = true;
    clearInterval(this.#idle);
    if (this.peer) this.peer.peer = undefined;
    this.#rtp.close();
    const socket = this.#events;
    if (!socket?.writable) return;
    sendEvent(socket, {
      'Event-Name': 'CHANNEL_CALLSTATE',
      'Unique-ID': this.uuid,
      'Channel-Call-State': 'HANGUP',
      'Hangup-Cause': 'NORMAL_CLEARING',
    });
    socket.end('Content-Type: text/disconnect-notice\nContent-Length: 0\n\n');
  }

  /** Without a word. */
  destroy(): void {
    this.hung = true;
    clearInterval(this.#idle);
    this.#rtp.close();
    this.#events?.destroy();
  }

  /** Says and hears nothing any more. */
  freeze(): void {
    clearInterval(this.#idle);
    this.#rtp.removeAllListeners('message');
  }

  #receive(packet: Buffer): void {
    this.received++;
    const payloadType = (packet[1] ?? 0) & 0x7f;
    // As with ACCEPT_ANY_PAYLOAD: other numbers than its own are taken for its codec.
    const format = this.formats.find((one) => one.payloadType === payloadType) ?? this.formats[0];
    const to = this.peer;
    if (!format || !to) return;
    const other = to.formats.find((one) => isEvent(one) === isEvent(format));
    const same =
      other?.encoding.toLowerCase() === format.encoding.toLowerCase() && other.clockRate === format.clockRate;
    to.#send(other, same || isEvent(format) ? packet.subarray(12) : undefined);
  }

  #send(format: MediaFormat | undefined, payload: Buffer | undefined): void {
    if (!format || !this.#remote?.receives || this.hung) return;
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = format.payloadType;
    header.writeUInt16BE(this.#sequence & 0xffff, 2);
    header.writeUInt32BE((this.#sequence * format.clockRate) / 50, 4);
    header.writeUInt32BE(this.port, 8);
    this.#sequence++;
    const body = payload ?? silence[format.encoding.toLowerCase()] ?? Buffer.alloc(0);
    this.#rtp.send(Buffer.concat([header, body]), this.#remote.port, this.#remote.host);
  }
}
