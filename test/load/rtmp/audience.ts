import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeConnectOptions, RtmpClient, type RtmpClientStream, type RtmpConnection } from 'rtmp-server-ts';

/** What a publisher sends: so many messages of a kind a second, of so many bytes each. */
export interface Programme {
  readonly audio: { readonly perSecond: number; readonly payload: Uint8Array };
  readonly video?: { readonly perSecond: number; readonly payload: Uint8Array };
}

/** One publisher and many players of a server, all in this process. */
export class Audience {
  /** Messages that the players have got, together. */
  received = 0;
  readonly #publisher: RtmpClientStream;
  readonly #connections: readonly RtmpConnection[];

  private constructor(publisher: RtmpClientStream, connections: readonly RtmpConnection[]) {
    this.#publisher = publisher;
    this.#connections = connections;
  }

  /** @param url of the application */
  static async gather(url: string, players: number, options: NodeConnectOptions = {}): Promise<Audience> {
    const connection = await RtmpClient.connect(url, options);
    const publisher = await connection.createStream();
    await publisher.publish('bench');
    const connections = [connection];
    const audience = new Audience(publisher, connections);
    for (let player = 0; player < players; player++) {
      const playing = await RtmpClient.connect(url, options);
      connections.push(playing);
      const stream = await playing.createStream();
      const count = () => {
        audience.received += 1;
      };
      stream.on('audio', count).on('video', count);
      await stream.play('bench');
    }
    return audience;
  }

  /** Sends by the clock, whatever the timer does. @returns the number of messages sent */
  async send(programme: Programme, seconds: number): Promise<number> {
    const { audio, video } = programme;
    const start = performance.now();
    let [heard, seen] = [0, 0];
    for (let now = start; now < start + seconds * 1_000; now = performance.now()) {
      const elapsed = now - start;
      for (; heard * 1_000 <= elapsed * audio.perSecond; heard++) this.#publisher.sendAudio(elapsed, audio.payload);
      if (video !== undefined) {
        for (; seen * 1_000 <= elapsed * video.perSecond; seen++) this.#publisher.sendVideo(elapsed, video.payload);
      }
      await sleep(5);
    }
    return heard + seen;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
