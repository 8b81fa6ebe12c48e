import type {
  ClientVideo,
  IncomingInvite,
  MediaOptions,
  OutgoingInvite,
  SignallingEvent,
} from '../../../../plugin/call/ports.js';
import { CallRegistry } from '../../../../plugin/call/registry.js';
import type { MediaDescription, SessionDescription } from '../../../../plugin/call/session-description.js';
import type { Termination } from '../../../../plugin/call/termination.js';
import { Line } from '../../../../plugin/client/line.js';
import { fakeLeg } from '../../../call/fake-leg.js';

const audio: MediaDescription = { kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [] };
export const description: SessionDescription = { address: '192.0.2.3', media: [audio] };

/** One far end: what it was sent, as `<name> <argument>`, and what it says. */
export interface FarEnd {
  readonly uri: string;
  readonly asked: string[];
  readonly written: number[];
  says(event: SignallingEvent): void;
  /** Its audio, for the client to hear; false when that was dropped. */
  speaks(timestamp: number): boolean;
  readonly media: MediaOptions;
}

/** Lets everything run that waits for nothing but its turn. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A line between a client that records what it is told, and far ends that record what they are sent. */
export class LineBench {
  /** What the client was told, in order. */
  readonly told: string[] = [];
  readonly played: number[] = [];
  readonly results: Termination[] = [];
  readonly timers: { ms: number; fire: () => void }[] = [];
  /** What makes a media answer wait. */
  answerMedia: () => Promise<void> = async () => {};
  time = 0;
  /** What the client publishes of video. */
  video: ClientVideo | undefined;
  /** How often its streams were given to another call. */
  switches = 0;
  readonly calls = new CallRegistry();
  readonly line: Line;
  readonly #farEnds = new Map<string, FarEnd & { media: MediaOptions }>();
  #invites = 0;

  constructor() {
    this.line = new Line(
      {
        status: ({ status, reason }) => void this.told.push(reason === undefined ? `${status}` : `${status} ${reason}`),
        incoming: ({ called, from }) =>
          void this.told.push(`incoming ${from} for ${called.length === 36 ? 'me' : called}`),
        notice: (notice) =>
          void this.told.push(notice.type === 'hold' ? `hold ${notice.local} ${notice.remote}` : `${notice.type}`),
        play: ({ timestamp }) => this.played.push(timestamp) > 0,
        audio: async () => ({}),
        video: () => this.video,
        keyFrameWanted: () => void this.told.push('key frame'),
        switching: () => {
          this.switches++;
        },
        calls: (notice) => {
          const party = notice.type === 'waiting' ? notice.caller.from : notice.party.uri;
          const reason = notice.type === 'waiting-ended' ? `: ${notice.reason}` : '';
          this.told.push(`${notice.type} ${party}${reason}`);
        },
      },
      {
        ports: {
          signalling: {
            resolve: (uri) => ({ uri }),
            invite: ({ uri, callId }, listener) => {
              const asked: string[] = [];
              this.#add(callId, uri, asked, listener);
              const leg = fakeLeg((what) => asked.push(what));
              return { ...leg, cancel: () => asked.push('CANCEL') } satisfies OutgoingInvite;
            },
          },
          media: {
            open: async (options) => {
              const farEnd = () => this.#of(options.callId);
              this.#media.set(options.callId, options);
              return {
                offer: description,
                accept: async () => {},
                check: () => {},
                answer: async () => {
                  await this.answerMedia();
                  return description;
                },
                reoffer: (direction) => ({ ...description, media: [{ ...audio, direction }] }),
                sendDtmf: () => false,
                write: ({ timestamp }) => farEnd().written.push(timestamp),
                close: () => ({}),
              };
            },
          },
          timers: {
            after: (ms, fire) => {
              const timer = { ms, fire };
              this.timers.push(timer);
              return () => void this.timers.splice(this.timers.indexOf(timer), 1);
            },
          },
          observer: {
            changed: () => {},
            transferred: () => {},
            finished: (call, termination) => {
              this.calls.remove(call);
              this.results.push(termination);
            },
          },
        },
        calls: this.calls,
        domain: () => '192.0.2.1',
        registrations: { home: () => undefined, register: () => ({ end: () => {} }) },
        messages: { sendMessage: async () => {} },
        ringTimeMs: 60_000,
        now: () => this.time,
      },
    );
  }

  readonly #media = new Map<string, MediaOptions>();

  /** What the client was told since the last time. */
  news(): string[] {
    return this.told.splice(0);
  }

  /** The client calls, and is answered. */
  async callsOut(uri: string): Promise<FarEnd> {
    this.line.dial(uri);
    await settled();
    const farEnd = this.#byUri(uri);
    farEnd.says({ type: 'answered', answer: description });
    await settled();
    return farEnd;
  }

  /** Somebody calls. */
  async called(uri: string): Promise<FarEnd> {
    const asked: string[] = [];
    const callId = `in${++this.#invites}`;
    let listener: (event: SignallingEvent) => void = () => {};
    const invite: IncomingInvite = {
      ...{ callId, caller: { called: 'contact', from: uri, displayName: 'Somebody' }, offer: description },
      listen: (listens) => {
        listener = listens;
      },
      ring: () => asked.push('180'),
      answer: () => asked.push('200'),
      reject: (sipStatus) => asked.push(`${sipStatus}`),
      ...fakeLeg((what) => asked.push(what)),
    };
    this.#add(callId, uri, asked, (event) => listener(event));
    this.line.incoming(invite);
    await settled();
    return this.#of(callId);
  }

  #add(callId: string, uri: string, asked: string[], says: (event: SignallingEvent) => void): void {
    const media = this.#media;
    this.#farEnds.set(callId, {
      ...{ uri, asked, written: [], says },
      speaks: (timestamp) =>
        this.#of(callId).media.player.play({ kind: 'audio', timestamp, payload: new Uint8Array() }),
      get media() {
        const options = media.get(callId);
        if (!options) throw new Error(`no media were opened for ${uri}`);
        return options;
      },
    });
  }

  #of(callId: string): FarEnd {
    const farEnd = this.#farEnds.get(callId);
    if (!farEnd) throw new Error(`there is no call ${callId}`);
    return farEnd;
  }

  #byUri(uri: string): FarEnd {
    const farEnd = [...this.#farEnds.values()].find((each) => each.uri === uri);
    if (!farEnd) throw new Error(`nobody was called at ${uri}`);
    return farEnd;
  }
}
