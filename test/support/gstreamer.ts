import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loopback } from './ports.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';

/** As RTCP feedback is negotiated: `nack`, `nack pli`, `ccm fir`. */
export type Feedback = 'nack' | 'nack pli' | 'ccm fir';

export interface GstVideoOptions {
  /** Its even port. */
  readonly port: number;
  /** Even port to which its RTP and RTCP go. */
  readonly to: number;
  readonly payloadType?: number;
}

export interface GstReceiverOptions extends GstVideoOptions {
  readonly feedback: readonly Feedback[];
}

const rtcp = ({ port, to }: GstVideoOptions): string[] => [
  ...['udpsrc', `port=${port + 1}`, `address=${loopback}`, '!', 'bin.recv_rtcp_sink_0'],
  ...['bin.send_rtcp_src_0', '!', 'udpsink', `host=${loopback}`, `port=${to + 1}`, `bind-port=${port + 1}`],
  ...['close-socket=false', 'sync=false', 'async=false'],
];

/** GStreamer as the video side of a SIP phone that hears (RFC 4585, AVPF): keeps what comes as it comes. */
export class GstReceiver {
  readonly #process: PeerProcess;
  readonly #file: string;

  private constructor(process: PeerProcess, file: string) {
    this.#process = process;
    this.#file = file;
  }

  static async start(scope: Scope, options: GstReceiverOptions): Promise<GstReceiver> {
    const { port, payloadType = 99, feedback } = options;
    const folder = await mkdtemp(join(tmpdir(), 'gstreamer-'));
    scope.defer(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'received.h264');
    const names = feedback.map((kind) => `rtcp-fb-${kind.replace(' ', '-')}=(boolean)true`);
    const caps = ['application/x-rtp', 'media=video', 'clock-rate=90000', 'encoding-name=H264'];
    const process = await PeerProcess.start(scope, 'gst-launch-1.0', [
      // It asks five times a second, and gives up asking for what it could not show in time: time for several attempts.
      ...['-e', 'rtpbin', 'name=bin', 'rtp-profile=avpf', 'latency=2000'],
      `do-retransmission=${feedback.includes('nack')}`,
      ...['udpsrc', `port=${port}`, `address=${loopback}`, 'buffer-size=4000000'],
      `caps=${[...caps, `payload=${payloadType}`, ...names].join(',')}`,
      ...['!', 'bin.recv_rtp_sink_0', 'bin.', '!'],
      ...['rtph264depay', 'request-keyframe=true', 'wait-for-keyframe=true', '!'],
      ...['video/x-h264,stream-format=byte-stream,alignment=au', '!', 'filesink', 'async=false', `location=${file}`],
      ...rtcp(options),
    ]);
    await process.stdout.find('that it plays', (line) => /PLAYING/.test(line));
    return new GstReceiver(process, file);
  }

  /** Ends it; returns what it received, as an H.264 byte stream. */
  async received(): Promise<Buffer> {
    this.#process.signal('SIGINT');
    await this.#process.end();
    return await readFile(this.#file);
  }
}

/** GStreamer as the video side of a SIP phone that shows a test picture, encoded as it goes: its encoder makes a key frame when asked. */
export function gstSender(scope: Scope, options: GstVideoOptions): Promise<PeerProcess> {
  const { to, payloadType = 102 } = options;
  return PeerProcess.start(scope, 'gst-launch-1.0', [
    ...['rtpbin', 'name=bin', 'rtp-profile=avpf'],
    ...[
      'videotestsrc',
      'is-live=true',
      'pattern=zone-plate',
      'kx2=20',
      'ky2=20',
      'kt=1',
      '!',
      'video/x-raw,width=640,height=360,framerate=30/1',
      '!',
    ],
    ...['openh264enc', 'gop-size=9000', 'complexity=low', 'bitrate=2000000', '!'],
    ...['rtph264pay', `pt=${payloadType}`, 'mtu=1100', 'config-interval=-1', '!'],
    // Sends again, under the same number, what is asked for.
    ...['rtprtxqueue', 'max-size-time=1000', '!', 'bin.send_rtp_sink_0'],
    ...['bin.send_rtp_src_0', '!', 'udpsink', `host=${loopback}`, `port=${to}`, 'sync=false', 'async=false'],
    ...rtcp(options),
  ]);
}
