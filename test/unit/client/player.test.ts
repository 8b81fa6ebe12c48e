import type { RtmpStream } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import type { ClientFrame } from '../../../plugin/call/ports.js';
import { Player } from '../../../plugin/client/player.js';
import { PhoneStreams } from '../../../plugin/client/streams.js';
import { type Scope, test } from '../../support/scope.js';
import { TestClient } from '../rtmp/client.js';
import { FakeClock } from '../rtmp/fake-clock.js';
import { serve } from '../rtmp/serve.js';

/** Frame type and codec, packet type, composition time, and a number to tell them by. */
const message = (first: number, type: number, number: number): Uint8Array =>
  Uint8Array.of(first, type, 0, 0, 0, number);
const header = (number: number): Uint8Array => message(0x17, 0, number);
const key = (number: number): Uint8Array => message(0x17, 1, number);
const inter = (number: number): Uint8Array => message(0x27, 1, number);

/** A client that plays, on a real connection, and the call that it plays. */
class Bench {
  readonly clock: FakeClock;
  readonly client: TestClient;
  readonly streams = new PhoneStreams(() => this.needed++);
  readonly #stream: RtmpStream;
  needed = 0;
  #time = 0;

  private constructor(clock: FakeClock, client: TestClient, stream: RtmpStream) {
    this.clock = clock;
    this.client = client;
    this.#stream = stream;
  }

  static async open(scope: Scope): Promise<Bench> {
    const clock = new FakeClock();
    const opened: RtmpStream[] = [];
    const served = await serve(scope, { clock }, (stream) => {
      opened.push(stream);
      stream.on('play', (request) => request.accept());
    });
    const client = await TestClient.connect(scope, served.port);
    await client.createStream();
    client.tell(1, 'play', 'dummy');
    await client.status('NetStream.Play.Start');
    const [stream] = opened;
    if (stream === undefined) throw new Error('no stream');
    return new Bench(clock, client, stream);
  }

  join(): Player {
    const player = new Player(this.#stream);
    this.streams.join(player);
    return player;
  }

  /** One message of the call and 33 ms. */
  play(...payloads: Uint8Array[]): boolean[] {
    return payloads.map((payload) => {
      const frame: ClientFrame = { kind: 'video', timestamp: this.#time, payload };
      this.#time += 33;
      const taken = this.streams.play(frame);
      this.clock.advance(33);
      return taken;
    });
  }

  /** What the client got: `H` a sequence header, `K` a key frame, `P` another picture, each with its number. */
  async got(): Promise<string> {
    await this.client.settled();
    const bodies = this.client.received.all.flatMap((one) => (one.type === 'video' ? [one.payload] : []));
    return bodies
      .map(([first, type, , , , number]) => `${type === 0 ? 'H' : first === 0x17 ? 'K' : 'P'}${number}`)
      .join(' ');
  }

  /** From now on the client does not answer: it counts as slow after 500 ms. */
  async stall(): Promise<void> {
    this.play(inter(90));
    await this.client.settled();
    this.#answerPings();
    await this.client.settled();
    for (let index = 0; index < 30; index++) this.play(inter(91));
  }

  async recover(): Promise<void> {
    await this.client.settled();
    this.#answerPings();
    await this.client.settled();
  }

  #answerPings(): void {
    this.client.send({ type: 'userControl', event: 'pingResponse', pingTimestamp: 0 }, 2);
  }
}

describe('a player', () => {
  test('gets the sequence header, a key frame, and what follows', async ({ scope }) => {
    const bench = await Bench.open(scope);
    bench.join();
    expect(bench.play(header(1), key(2), inter(3), inter(4))).toEqual([true, true, true, true]);
    expect(await bench.got()).toBe('H1 K2 P3 P4');
    expect(bench.needed).toBe(0);
  });

  test('that joins late gets nothing before the next key frame, which is asked for, behind the header', async ({
    scope,
  }) => {
    const bench = await Bench.open(scope);
    bench.play(header(1), key(2), inter(3));
    bench.join();
    expect(bench.play(inter(4), inter(5))).toEqual([false, false]);
    expect(bench.needed).toBe(2);
    bench.play(key(6), inter(7));
    expect(await bench.got()).toBe('H1 K6 P7');
  });

  test('gets another header when there is one, and each header once', async ({ scope }) => {
    const bench = await Bench.open(scope);
    bench.join();
    bench.play(header(1), key(2), header(3), key(4), inter(5), key(6));
    expect(await bench.got()).toBe('H1 K2 H3 K4 P5 K6');
  });

  test('that reads too slowly never gets a picture that builds on one it did not get', async ({ scope }) => {
    const bench = await Bench.open(scope);
    bench.join();
    bench.play(header(1), key(2));
    await bench.stall();
    expect(bench.play(inter(80), key(81), inter(82))).toEqual([false, false, false]);
    await bench.recover();
    expect(bench.play(inter(83), header(84), key(85), inter(86))).toEqual([false, true, true, true]);
    const got = await bench.got();
    expect(got).toMatch(/^H1 K2 P90( P91)+ H84 K85 P86$/);
    expect(bench.needed).toBeGreaterThan(0);
  });

  test('that wants no video gets none, and a key frame first when it wants some again', async ({ scope }) => {
    const bench = await Bench.open(scope);
    bench.join();
    bench.play(header(1), key(2));
    bench.client.tell(1, 'receiveVideo', false);
    await bench.client.settled();
    expect(bench.play(inter(3), key(4))).toEqual([false, false]);
    expect(bench.needed).toBe(0);
    bench.client.tell(1, 'receiveVideo', true);
    await bench.client.settled();
    bench.play(inter(5), key(6), inter(7));
    expect(bench.needed).toBe(1);
    expect(await bench.got()).toBe('H1 K2 K6 P7');
  });

  test('that pauses gets none either, and nobody is asked for a key frame on its behalf', async ({ scope }) => {
    const bench = await Bench.open(scope);
    bench.join();
    bench.play(header(1), key(2));
    bench.client.tell(1, 'receiveVideo', false);
    bench.client.tell(1, 'pause', true, 0);
    bench.client.tell(1, 'pause', false, 0);
    await bench.client.settled();
    bench.play(inter(3), key(4));
    expect(bench.needed).toBe(0);
    expect(await bench.got()).toBe('H1 K2');
  });

  test('of the next call gets nothing of the last one', async ({ scope }) => {
    const bench = await Bench.open(scope);
    bench.join();
    bench.play(header(1), key(2), inter(3));
    bench.streams.ended();
    bench.play(inter(4), header(5), key(6));
    expect(await bench.got()).toBe('H1 K2 P3 H5 K6');
  });
});
