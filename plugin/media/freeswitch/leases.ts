import type { Link } from './link.js';

/** Seconds after which the server hangs up a channel by itself, unless told otherwise before. */
const lease = 60;
/** Milliseconds between two times that it is told so. */
const renewal = 20_000;

/** Channels of one server, which are hung up there when nobody asks for them any more: a gateway may be killed. */
export class Leases {
  /** Channels by their ids. */
  readonly #channels = new Set<string>();
  #renewedAt = Number.NEGATIVE_INFINITY;

  add(uuid: string, link: Link): void {
    this.#channels.add(uuid);
    void link.api(`sched_hangup +${lease} ${uuid}`);
  }

  /** The channel is being hung up. */
  end(uuid: string): void {
    this.#channels.delete(uuid);
  }

  /** The server is gone, and its channels with it. */
  clear(): void {
    this.#channels.clear();
  }

  /** Has all of them live on, where it is time. */
  renew(link: Link, now: number): void {
    if (now - this.#renewedAt < renewal) return;
    this.#renewedAt = now;
    for (const uuid of this.#channels) {
      void link.api(`sched_del ${uuid}`);
      this.add(uuid, link);
    }
  }
}
