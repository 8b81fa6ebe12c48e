import { setTimeout as sleep } from 'node:timers/promises';
import { encodeVideo, videoMessages } from '../support/video.js';
import { connectedPhone } from './echo-call.js';
import { type Figures, ms, percent, progress, quantile } from './figures.js';
import { startGateway } from './gateway.js';
import type { LoadPhone } from './phone.js';

const pictureMs = 1000 / 30;
const warmUpPictures = 60;

/** Bodies of video messages: the sequence header, then pictures, again and again. */
interface Film {
  readonly header: Uint8Array;
  readonly pictures: readonly Uint8Array[];
}

/** 720p, 30 pictures a second, 2 Mb/s. */
async function encodeFilm(): Promise<Film> {
  const messages = videoMessages(await encodeVideo({ seconds: 4, size: '1280x720', keyInterval: 60 }));
  const ofType = (type: number) => messages.map(({ body }) => body).filter((body) => body[1] === type);
  const [header = new Uint8Array()] = ofType(0);
  return { header, pictures: ofType(1) };
}

/** A call that shows the film and sees it come back. */
class VideoCall {
  readonly delays: number[] = [];
  sent = 0;
  readonly #phone: LoadPhone;
  readonly #film: Film;
  readonly #sentAt: number[] = [];
  readonly #began = performance.now();
  #received = 0;

  constructor(phone: LoadPhone, film: Film) {
    this.#phone = phone;
    this.#film = film;
    phone.onVideo = (payload) => {
      if (payload[1] === 1) this.delays.push(performance.now() - (this.#sentAt[this.#received++] ?? Number.NaN));
    };
  }

  /** Sends by the clock, whatever the timer does. */
  async show(count: number, offset: number): Promise<void> {
    const { header, pictures } = this.#film;
    this.#phone.sendVideo(0, header);
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

/**
 * What H.264 calls cost, from an RTMP phone to the echo number of a second gateway and back, so that the processor time
 * measured is that of one gateway alone. A call is two streams.
 */
export async function videoCalls(figures: Figures, count: number, seconds: number): Promise<void> {
  progress(`${count} calls with 720p30 video for ${seconds} s`);
  const film = await encodeFilm();
  const [gateway, farEnd] = [await startGateway(), await startGateway({ SONO_RTP_PORTS: '30000-32000' })];
  const uri = `sip:echo@127.0.0.1:${farEnd.sipPort}`;
  const calls: VideoCall[] = [];
  for (let index = 0; index < count; index++) {
    calls.push(new VideoCall(await connectedPhone(gateway.rtmpPort, uri, { video: true }), film));
  }
  // Code is compiled while it runs first.
  await Promise.all(calls.map((call) => call.show(warmUpPictures, 0)));
  await sleep(500);
  for (const call of calls) call.delays.length = 0;
  const before = gateway.process.cpuSeconds();
  const began = performance.now();
  await Promise.all(calls.map((call, index) => call.show(seconds * 30, (index * pictureMs) / count)));
  const share = (gateway.process.cpuSeconds() - before) / ((performance.now() - began) / 1000);
  await sleep(500);
  for (const call of calls) call.end();
  await gateway.process.stop();
  await farEnd.process.stop();
  const delays = calls.flatMap((call) => call.delays);
  const sent = count * seconds * 30;
  figures.add(
    `${count} calls with 720p30, ${kilobits(film)} kb/s: pictures lost`,
    `${sent - delays.length} of ${sent}`,
    'none',
  );
  figures.add('  processor per call, of one core', percent(share / count, 2));
  figures.add('  streams on a core', String(Math.floor((2 * count) / share)));
  figures.add('  there and back, median', `${ms(quantile(delays, 0.5))}, p99 ${ms(quantile(delays, 0.99))}`);
}

function kilobits({ pictures }: Film): string {
  const octets = pictures.reduce((sum, { length }) => sum + length, 0);
  return ((octets * 8) / (pictures.length * pictureMs)).toFixed(0);
}
