/**
 * What H.264 calls cost the gateway: 720p, 30 pictures a second, 2 Mb/s, from an RTMP phone to the echo number of a second
 * gateway and back, so that the processor time measured is that of one gateway alone. A call is two streams.
 * `npm run build && node --import tsx test/load/video-bench.ts [seconds] [calls...]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeVideo, videoMessages } from '../support/video.js';
import { startGateway } from './gateway.js';
import { LoadPhone } from './phone.js';

const seconds = Number(process.argv[2] ?? 10);
const counts = process.argv.slice(3).map(Number);
const pictureMs = 1000 / 30;
const warmUpPictures = 60;

const flv = await encodeVideo({ seconds: 4, size: '1280x720', keyInterval: 60 });
const messages = videoMessages(flv).map(({ body }) => body);
// Packet types: 0 is the sequence header, 1 a picture, 2 the end of the sequence.
const header = messages.find((body) => body[1] === 0);
const pictures = messages.filter((body) => body[1] === 1);
const bitRate = (pictures.reduce((sum, { length }) => sum + length, 0) * 8) / (pictures.length * pictureMs);
console.log(`${pictures.length} pictures of 1280x720, ${bitRate.toFixed(0)} kb/s, ${seconds} s`);

class VideoCall {
  readonly delays: number[] = [];
  sent = 0;
  readonly #phone: LoadPhone;
  readonly #sentAt: number[] = [];
  readonly #began = performance.now();
  #received = 0;

  private constructor(phone: LoadPhone) {
    this.#phone = phone;
    phone.onVideo = (payload) => {
      if (payload[1] === 1) this.delays.push(performance.now() - (this.#sentAt[this.#received++] ?? Number.NaN));
    };
  }

  static async start(port: number, uri: string): Promise<VideoCall> {
    const phone = await LoadPhone.connect('127.0.0.1', port);
    const connected = new Promise<void>((resolve, reject) => {
      phone.onStatus = (status) => {
        if (status === 2) resolve();
        if (status === 0) reject(new Error('a call was not connected'));
      };
    });
    phone.dial(uri, { video: true });
    await connected;
    await phone.openStreams();
    return new VideoCall(phone);
  }

  /** Sends by the clock, whatever the timer does. */
  async show(count: number, offset: number): Promise<void> {
    if (header !== undefined) this.#phone.sendVideo(0, header);
    const start = performance.now() + offset - this.sent * pictureMs;
    const end = this.sent + count;
    for (; this.sent < end; this.sent++) {
      const wait = start + this.sent * pictureMs - performance.now();
      if (wait > 0) await sleep(wait);
      const picture = pictures[this.sent % pictures.length];
      this.#sentAt.push(performance.now());
      if (picture !== undefined) this.#phone.sendVideo(Math.round(performance.now() - this.#began), picture);
    }
  }

  end(): void {
    this.#phone.hangup();
    this.#phone.close();
  }
}

interface Row {
  readonly calls: number;
  readonly 'of a core': string;
  readonly 'a call': string;
  readonly 'streams on a core': number;
  readonly lost: string;
  readonly 'there and back': string;
  readonly 'memory a call': string;
}

const quantile = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);

async function measure(count: number): Promise<Row> {
  const [gateway, farEnd] = [await startGateway(), await startGateway({ SONO_RTP_PORTS: '30000-32000' })];
  try {
    const uri = `sip:echo@127.0.0.1:${farEnd.sipPort}`;
    const memory = gateway.process.memory();
    const calls: VideoCall[] = [];
    for (let index = 0; index < count; index++) calls.push(await VideoCall.start(gateway.rtmpPort, uri));
    // Code is compiled while it runs first.
    await Promise.all(calls.map((call) => call.show(warmUpPictures, 0)));
    await sleep(500);
    for (const call of calls) call.delays.length = 0;
    const cpu = gateway.process.cpuSeconds();
    const began = performance.now();
    await Promise.all(calls.map((call, index) => call.show(seconds * 30, (index * pictureMs) / count)));
    const share = (gateway.process.cpuSeconds() - cpu) / ((performance.now() - began) / 1000);
    const used = gateway.process.memory() - memory;
    await sleep(500);
    for (const call of calls) call.end();
    const delays = calls.flatMap((call) => call.delays).sort((a, b) => a - b);
    return {
      calls: count,
      'of a core': `${(share * 100).toFixed(1)} %`,
      'a call': `${((share * 100) / count).toFixed(2)} %`,
      'streams on a core': Math.floor((2 * count) / share),
      lost: `${count * seconds * 30 - delays.length} of ${count * seconds * 30}`,
      'there and back': `median ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms`,
      'memory a call': `${(used / count).toFixed(0)} kB`,
    };
  } finally {
    await gateway.process.stop();
    await farEnd.process.stop();
  }
}

const rows: Row[] = [];
for (const count of counts.length > 0 ? counts : [5, 10, 20]) rows.push(await measure(count));
console.table(rows);
