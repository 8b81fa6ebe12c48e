import type { Timers } from '../../../../plugin/call/call-ports.js';
import type { OutgoingInvite, SignallingEvent } from '../../../../plugin/call/ports.js';
import type { SessionDescription } from '../../../../plugin/call/session-description.js';
import { DrachtioConnection } from '../../../../plugin/signalling/drachtio/drachtio.js';
import { DrachtioSignalling } from '../../../../plugin/signalling/signalling.js';
import { ControlServer, type SipFrame } from './control-server.js';

/** Timers that run when a test says so. */
class FakeTimers implements Timers {
  readonly #waiting = new Set<{ readonly at: number; readonly fire: () => void }>();
  #now = 0;

  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.#now + ms, fire };
    this.#waiting.add(timer);
    return () => void this.#waiting.delete(timer);
  }

  get size(): number {
    return this.#waiting.size;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#now = due.at;
      this.#waiting.delete(due);
      due.fire();
    }
    this.#now = end;
  }
}

export const offer: SessionDescription = {
  address: '192.0.2.1',
  media: [{ kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [] }],
};

export const farSdp = (direction = 'sendrecv'): string =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=${direction}\r\n`;

export const credentials = { user: 'a', password: 'secret' };

const dialog = 'call-1;from-tag=ours';
/** Sequence numbers of the far end's requests. */
let sequence = 100;

/** A gateway's call as seen from the control port of its drachtio server, which the test plays. */
export class FarEnd {
  readonly server: ControlServer;
  readonly connection: DrachtioConnection;
  readonly timers = new FakeTimers();
  readonly events: SignallingEvent[] = [];
  readonly call: OutgoingInvite;
  #waiting: (() => void)[] = [];
  #taken = 0;

  private constructor(server: ControlServer, connection: DrachtioConnection) {
    this.server = server;
    this.connection = connection;
    const signalling = new DrachtioSignalling(connection, { fromName: 'test', timers: this.timers });
    const request = { callId: 'c1', uri: 'sip:b@127.0.0.1', from: 'sip:a@127.0.0.1', offer, credentials };
    this.call = signalling.invite(request, (event) => {
      this.events.push(event);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    });
  }

  /** Dials; the far end has its INVITE. */
  static async called(): Promise<FarEnd> {
    const server = await ControlServer.start();
    const connection = new DrachtioConnection(server.address);
    await connection.connect();
    return new FarEnd(server, connection);
  }

  /** The same, and the far end answers with these headers. */
  static async answered(...headers: readonly string[]): Promise<FarEnd> {
    const far = await FarEnd.called();
    far.reply(await far.next(/^INVITE/), '200 OK', farSdp(), ...headers);
    await far.event('answered');
    await far.next(/^ACK/);
    return far;
  }

  /** The next frame of the gateway that was not looked at yet; it has to match. */
  async next(startLine: RegExp): Promise<SipFrame> {
    const frame = await this.server.find(/./, this.#taken);
    this.#taken = this.server.frames.indexOf(frame) + 1;
    if (!startLine.test(frame.startLine)) throw new Error(`${frame.startLine} comes before ${startLine}`);
    return frame;
  }

  /** Confirms that a request was sent, and answers it. */
  reply(frame: SipFrame, status: string, body = '', ...headers: readonly string[]): void {
    const [method = ''] = frame.startLine.split(' ');
    const cseq = `CSeq: 7 ${method}`;
    const sent = frame.text.replace(
      '\r\n',
      `\r\n${head(cseq, 'ours', method === 'INVITE' && frame.dialog === '' ? '' : 'theirs')}\r\n`,
    );
    const answer = [`SIP/2.0 ${status}`, head(cseq, 'ours', 'theirs'), ...headers, ...content(body)].join('\r\n');
    const transaction = `t${frame.id}`;
    this.server.write(this.server.sent(frame, transaction, sent), this.server.received(transaction, dialog, answer));
  }

  /** A request of the far end; resolves to the gateway's answer. */
  async request(method: string, body = '', ...headers: readonly string[]): Promise<SipFrame> {
    this.send(method, body, ...headers);
    return await this.next(/^SIP/);
  }

  send(method: string, body = '', ...headers: readonly string[]): void {
    const text = [
      `${method} sip:a@127.0.0.1 SIP/2.0`,
      head(`CSeq: ${++sequence} ${method}`, 'theirs', 'ours'),
      ...headers,
      ...content(body),
    ].join('\r\n');
    this.server.write(this.server.received(`f${sequence}`, dialog, text));
  }

  /** The first event of this type behind the given number of others. */
  async event<T extends SignallingEvent['type']>(type: T, from = 0): Promise<Extract<SignallingEvent, { type: T }>> {
    for (;;) {
      const found = this.events.slice(from).find((event) => event.type === type);
      if (found) return found as Extract<SignallingEvent, { type: T }>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.connection.close();
    this.server.close();
  }
}

function head(cseq: string, from: string, to: string): string {
  const via = 'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1';
  const address = (name: string, tag: string) => `${name}: <sip:x@127.0.0.1>${tag === '' ? '' : `;tag=${tag}`}`;
  return [via, address('From', from), address('To', to), 'Call-ID: call-1', cseq, 'Contact: <sip:b@192.0.2.7>'].join(
    '\r\n',
  );
}

function content(body: string): string[] {
  if (body === '') return ['Content-Length: 0', '', ''];
  const type = body.startsWith('v=0') ? ['Content-Type: application/sdp'] : [];
  return [...type, `Content-Length: ${Buffer.byteLength(body)}`, '', body];
}
