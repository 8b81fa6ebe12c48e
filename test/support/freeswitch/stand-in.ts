import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { freePort, loopback } from '../ports.js';
import type { Scope } from '../scope.js';
import { Channel } from './channel.js';
import { type Answer, type Command, EventSocketServer } from './event-socket.js';

export interface StandInOptions {
  readonly port?: number;
  readonly secret?: string;
  readonly maxSessions?: number;
}

/** What the SIP side keeps of a channel's dialog. */
interface Dialog {
  readonly channel: Channel;
  readonly invite: SipText;
  readonly tag: string;
  readonly from: RemoteInfo;
}

/**
 * Speaks as FreeSWITCH does to drachtio-fsmrf, as far as Sono's part goes: the event socket both ways, SIP and RTP, each
 * over real sockets, with the words of a recorded conversation. It relays between channels of one codec, and where two
 * differ sends silence in the place of each packet.
 */
export class FreeSwitchStandIn {
  readonly port: number;
  /** `fsctl pause inbound`. */
  paused = false;
  maxSessions: number;
  /** The profile's line in `sofia status`. */
  profile = 'drachtio_mrf';
  /** Does not let anybody in. */
  rude = false;
  /** Status that INVITEs get instead of 200. */
  refuseWith: string | undefined;
  /** How many of them; then none. */
  refusals = Number.POSITIVE_INFINITY;
  /** Channels are hung up as soon as they are confirmed, and handed to nobody: what happens when an RTP port is taken. */
  hangsUpAtOnce = false;
  /** INVITEs get no answer. */
  silent = false;
  /** The event socket answers nothing; SIP and media go on. */
  deaf = false;
  /** Where the last INVITE said that its channel is to be handed to. */
  outbound: string | undefined;
  readonly #invites = new Set<string>();
  /** When channels are to be hung up by themselves. */
  readonly #leases = new Map<string, readonly NodeJS.Timeout[]>();
  readonly #sip: UdpSocket;
  readonly #sipPort: number;
  readonly #dialogs = new Map<string, Dialog>();
  #events: EventSocketServer | undefined;
  #hung = false;

  static async start(scope: Scope, options: StandInOptions = {}): Promise<FreeSwitchStandIn> {
    const port = options.port ?? (await freePort());
    const sip = createSocket('udp4');
    const sipPort = await freePort();
    await new Promise<void>((resolve, reject) => {
      sip.once('error', reject);
      sip.bind(sipPort, loopback, resolve);
    });
    const standIn = new FreeSwitchStandIn(port, sip, sipPort, options.maxSessions ?? 500);
    scope.defer(() => standIn.kill());
    standIn.#events = await EventSocketServer.open(scope, port, {
      secret: options.secret ?? 'ClueCon',
      rude: () => standIn.rude,
      answer: (command) => (standIn.#hung || standIn.deaf ? undefined : standIn.#answer(command)),
    });
    return standIn;
  }

  private constructor(port: number, sip: UdpSocket, sipPort: number, maxSessions: number) {
    this.port = port;
    this.#sip = sip;
    this.#sipPort = sipPort;
    this.maxSessions = maxSessions;
    sip.on('message', (bytes, from) => {
      if (!this.#hung) void this.#request(new SipText(bytes.toString('utf8')), from);
    });
    sip.on('error', () => {});
  }

  /** INVITEs for channels that came, without repetitions. */
  get invites(): number {
    return this.#invites.size;
  }

  get channels(): readonly Channel[] {
    return [...this.#dialogs.values()].map(({ channel }) => channel).filter(({ hung }) => !hung);
  }

  /** Channels that would be hung up if nobody asked for them any more. */
  get leased(): number {
    return this.channels.filter(({ uuid }) => this.#leases.has(uuid)).length;
  }

  /** Pairs that hear each other. */
  get bridges(): number {
    return this.channels.filter(({ peer }) => peer).length / 2;
  }

  hangUp(channel: Channel): void {
    const dialog = [...this.#dialogs.values()].find((one) => one.channel === channel);
    if (!dialog || channel.hung) return;
    channel.close();
    const { invite, tag, from } = dialog;
    this.#sip.send(
      [
        `BYE ${invite.header('contact').replace(/[<>]/g, '')} SIP/2.0`,
        `Via: SIP/2.0/UDP ${loopback}:${this.#sipPort};rport;branch=z9hG4bK${randomUUID()}`,
        'Max-Forwards: 70',
        `From: ${invite.header('to')};tag=${tag}`,
        `To: ${invite.header('from')}`,
        `Call-ID: ${invite.header('call-id')}`,
        'CSeq: 900 BYE',
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
      from.port,
      from.address,
    );
  }

  /** What the event socket says of its own accord, as it stands. */
  say(text: string): void {
    for (const socket of this.#events?.sockets ?? []) socket.write(text);
  }

  /** As after SIGSTOP: every socket stays, nothing is said. */
  hang(): void {
    this.#hung = true;
    for (const { channel } of this.#dialogs.values()) channel.freeze();
  }

  /** As after a crash. */
  async kill(): Promise<void> {
    if (!this.#events) return;
    const events = this.#events;
    this.#events = undefined;
    this.#hung = true;
    for (const channel of this.channels) channel.destroy();
    this.#sip.close();
    await events.close();
  }

  #answer({ text }: Command): Answer {
    if (text === 'exit') {
      return { reply: '+OK bye', last: 'Content-Type: text/disconnect-notice\nContent-Length: 0\n\n' };
    }
    if (!text.startsWith('api ')) return { reply: '+OK event listener enabled json' };
    return { api: this.#api(text.slice('api '.length)) };
  }

  #api(command: string): string {
    const [name, first, second] = command.split(' ');
    const channel = this.channels.find(({ uuid }) => uuid === first);
    if (command === 'sofia status') return this.#sofiaStatus();
    if (command === 'status') return this.#status();
    if (command === 'fsctl pause_check inbound') return String(this.paused);
    if (name === 'sched_hangup') return this.#lease(first, second);
    if (name === 'sched_del') return this.#endLease(first);
    if (!channel) return '-ERR No such channel!\n';
    if (name === 'uuid_kill') this.hangUp(channel);
    else if (name === 'uuid_bridge')
      return bridge(
        channel,
        this.channels.find(({ uuid }) => uuid === second),
      );
    else if (name === 'uuid_dump') {
      return Object.entries(channel.data)
        .map(([key, value]) => `${key}: ${encodeURIComponent(value)}`)
        .join('\n');
    }
    return '+OK\n';
  }

  #lease(seconds = '', uuid = ''): string {
    const channel = this.channels.find((one) => one.uuid === uuid);
    if (!channel) return '-ERR No such channel!\n';
    const timer = setTimeout(() => this.hangUp(channel), Number(seconds) * 1000);
    this.#leases.set(uuid, [...(this.#leases.get(uuid) ?? []), timer]);
    timer.unref();
    return '+OK\n';
  }

  #endLease(uuid = ''): string {
    for (const timer of this.#leases.get(uuid) ?? []) clearTimeout(timer);
    return this.#leases.delete(uuid) ? '+OK\n' : '-ERR\n';
  }

  #sofiaStatus(): string {
    return `                     Name	   Type	                                      Data	State
=================================================================================================
                 external	profile	              sip:mod_sofia@${loopback}:5070	RUNNING (0)
             ${this.profile}	profile	              sip:mod_sofia@${loopback}:${this.#sipPort}	RUNNING (0)
=================================================================================================
2 profiles 0 alias
`;
  }

  #status(): string {
    const count = this.channels.length;
    return `UP 0 years, 0 days, 0 hours, 0 minutes, 47 seconds, 533 milliseconds, 40 microseconds
FreeSWITCH (Version 1.11.3-dev  64bit) is ready
${count} session(s) since startup
${count} session(s) - peak ${count}, last 5min 0 
0 session(s) per Sec out of max 100, peak 0, last 5min 0 
${this.maxSessions} session(s) max
min idle cpu 0.00/73.70
`;
  }

  async #request(request: SipText, from: RemoteInfo): Promise<void> {
    const { method } = request;
    const dialog = this.#dialogs.get(request.header('call-id'));
    if (method === 'ACK' && dialog && this.hangsUpAtOnce) this.hangUp(dialog.channel);
    if (method === 'BYE' && dialog) {
      this.#respond(request, from, '200 OK', dialog.tag);
      dialog.channel.close();
    } else if (method === 'INVITE' && dialog) {
      const taken = !dialog.channel.hung && dialog.channel.describe(request.body);
      this.#respond(
        request,
        from,
        taken ? '200 OK' : '488 Not Acceptable Here',
        dialog.tag,
        taken ? dialog.channel.sdp : '',
      );
    } else if (method === 'INVITE') await this.#invited(request, from);
  }

  async #invited(invite: SipText, from: RemoteInfo): Promise<void> {
    this.#invites.add(invite.header('call-id'));
    this.outbound = invite.header('x-esl-outbound');
    const tag = randomUUID();
    if (this.silent) return;
    this.#respond(invite, from, '100 Trying', undefined);
    const full = this.channels.length >= this.maxSessions || this.paused;
    const refused = this.refuseWith !== undefined && this.refusals-- > 0;
    const refusal = refused ? this.refuseWith : full ? '503 Maximum Calls In Progress' : undefined;
    if (refusal !== undefined) {
      this.#respond(invite, from, refusal, tag);
      return;
    }
    const channel = await Channel.open({
      uuid: randomUUID(),
      userAgent: invite.header('user-agent'),
      outbound: invite.header('x-esl-outbound'),
      run: ({ text }) => this.#api(text.slice('api '.length)),
      hangUp: (one) => this.hangUp(one),
    });
    if (invite.body !== '' && !channel.describe(invite.body)) {
      channel.destroy();
      this.#respond(invite, from, '488 Not Acceptable Here', tag);
      return;
    }
    this.#dialogs.set(invite.header('call-id'), { channel, invite, tag, from });
    this.#respond(invite, from, '200 OK', tag, channel.sdp);
    if (!this.hangsUpAtOnce) channel.connect();
  }

  #respond(request: SipText, to: RemoteInfo, status: string, tag: string | undefined, body = ''): void {
    const inDialog = /;tag=/.test(request.header('to'));
    const lines = [
      `SIP/2.0 ${status}`,
      `Via: ${request.header('via')}`,
      `From: ${request.header('from')}`,
      `To: ${request.header('to')}${tag === undefined || inDialog ? '' : `;tag=${tag}`}`,
      `Call-ID: ${request.header('call-id')}`,
      `CSeq: ${request.header('cseq')}`,
      `Contact: <sip:drachtio@${loopback}:${this.#sipPort};transport=udp>`,
      'User-Agent: drachtio MRF',
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ];
    this.#sip.send(lines.join('\r\n'), to.port, to.address);
  }
}

function bridge(one: Channel, other: Channel | undefined): string {
  if (!other) return '-ERR Invalid uuid\n';
  one.peer = other;
  other.peer = one;
  return `+OK ${other.uuid}\n`;
}

/** As much of a SIP message as the stand-in looks at. */
class SipText {
  readonly method: string;
  readonly body: string;
  readonly #head: string;

  constructor(text: string) {
    const [head = '', ...body] = text.split('\r\n\r\n');
    this.#head = head;
    this.body = body.join('\r\n\r\n');
    this.method = head.split(' ', 1)[0] ?? '';
  }

  header(name: string): string {
    const short: Readonly<Record<string, string>> = { via: 'v', from: 'f', to: 't', 'call-id': 'i', contact: 'm' };
    return new RegExp(`^(?:${name}|${short[name] ?? name}):[ \\t]*(.*)$`, 'im').exec(this.#head)?.[1]?.trim() ?? '';
  }
}
