import { SipCore } from '../../../../plugin/embedded-sip/src/core/core.js';
import { DialogTable } from '../../../../plugin/embedded-sip/src/dialog/dialog-table.js';
import type { SipLogEvent } from '../../../../plugin/embedded-sip/src/log.js';
import { Headers } from '../../../../plugin/embedded-sip/src/message/headers.js';
import type { SipMessage } from '../../../../plugin/embedded-sip/src/message/message.js';
import { parseMessage } from '../../../../plugin/embedded-sip/src/message/parser.js';
import { DEFAULT_LIMITS, type EmbeddedSipLimits } from '../../../../plugin/embedded-sip/src/options.js';
import type {
  OutgoingRequest,
  SendResult,
  TransactionUser,
  UserEvent,
} from '../../../../plugin/embedded-sip/src/transaction-user.js';
import { LocalAddress } from '../../../../plugin/embedded-sip/src/transport/local-address.js';
import type { Flow, Protocol, Target } from '../../../../plugin/embedded-sip/src/transport/types.js';
import { FakeClock } from './fake-clock.js';

export const SERVER = '127.0.0.1';
export const SERVER_PORT = 5060;
export const PEER = '127.0.0.1';
export const PEER_PORT = 15070;

/** A transaction user that only writes down what it gets. */
class RecordingUser implements TransactionUser {
  alive = true;
  readonly events: UserEvent[] = [];

  receive(event: UserEvent): void {
    this.events.push(event);
  }

  /** What came since the last look. */
  take(): UserEvent[] {
    return this.events.splice(0);
  }

  /** The same in short: methods and status codes. */
  seen(): string[] {
    return this.take().map(({ message }) => (message.kind === 'request' ? message.method : String(message.status)));
  }
}

/** The core with nothing around it: time stands still, the wire is a list, and the application is this. */
export class Bench {
  readonly clock = new FakeClock();
  readonly user = new RecordingUser();
  readonly core: SipCore;
  readonly log: SipLogEvent[] = [];
  readonly connections = new Set<string>();
  readonly #wire: { text: string; target: Target }[] = [];
  /** Methods for which the application has a route. */
  routes = new Set(['INVITE', 'OPTIONS', 'REGISTER', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'INFO', 'PUBLISH']);

  constructor(limits: Partial<EmbeddedSipLimits> = {}, advertised?: string) {
    const transport = {
      send: (text: string, target: Target) => this.#wire.push({ text, target }),
      hasConnection: (address: string, port: number) => this.connections.has(`${address}:${port}`),
    };
    this.core = new SipCore(
      {
        clock: this.clock,
        limits: { ...DEFAULT_LIMITS, ...limits },
        log: (event) => this.log.push(event),
        dialogs: new DialogTable(),
        transport,
        local: new LocalAddress(SERVER, advertised),
        port: SERVER_PORT,
      },
      ({ method }) => (this.routes.has(method) ? this.user : undefined),
    );
  }

  /** What was sent since the last look, parsed. */
  sent(): { message: SipMessage; target: Target }[] {
    return this.#wire.splice(0).map(({ text, target }) => ({ message: parsed(text), target }));
  }

  /** The same as it is on the wire: an answer to a malformed request repeats what is malformed in it. */
  texts(): string[] {
    return this.#wire.splice(0).map(({ text }) => text);
  }

  /** The same in short: methods and status codes. */
  wire(): string[] {
    return this.sent().map(({ message }) => (message.kind === 'request' ? message.method : String(message.status)));
  }

  /** The one message sent since the last look. */
  one(): SipMessage {
    const sent = this.sent();
    const [first] = sent;
    if (sent.length !== 1 || !first) throw new Error(`${sent.length} messages sent instead of one`);
    return first.message;
  }

  /** A message from the peer. */
  receive(text: string, from: Partial<Flow> = {}): void {
    this.core.onMessage(text, {
      protocol: 'udp',
      remoteAddress: PEER,
      remotePort: PEER_PORT,
      localAddress: SERVER,
      localPort: SERVER_PORT,
      ...from,
    });
  }

  /** A request of the application; IP literals are resolved at once, so the reply is there. */
  request(request: Partial<OutgoingRequest> & { method: string }, headers: [string, string][] = []): SendResult {
    let result: SendResult | undefined;
    const uri = request.dialogId === undefined ? `sip:bob@${PEER}:${PEER_PORT}` : 'sip:placeholder';
    this.core.request(this.user, { uri, body: '', headers: new Headers(headers), ...request }, (reply) => {
      result = reply;
    });
    if (!result) throw new Error('no reply yet');
    return result;
  }

  respond(transactionId: string, status: number, headers: [string, string][] = [], body = ''): SendResult {
    return this.core.respond(transactionId, { status, reason: 'Reason', headers: new Headers(headers), body });
  }
}

export function parsed(text: string): SipMessage {
  const outcome = parseMessage(text, { lineBytes: 1e6, headerCount: 1e3 });
  if (!outcome.ok) throw new Error(`sent something malformed (${outcome.reason}):\n${text}`);
  return outcome.message;
}

export function sdp(port = 4000): string {
  return `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;
}

export interface PeerRequest {
  readonly method: string;
  readonly uri?: string;
  readonly callId?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly cseq?: number;
  readonly cseqMethod?: string;
  readonly branch?: string;
  readonly transport?: Protocol;
  readonly headers?: readonly string[];
  readonly body?: string;
}

let branches = 0;

/** A request as a peer writes it. */
export function peerRequest(request: PeerRequest): string {
  const { method, callId = 'call-1', fromTag = 'peer', toTag, cseq = 1, headers = [], body = '' } = request;
  branches++;
  const branch = request.branch ?? `z9hG4bK-${branches}`;
  const lines = [
    `${method} ${request.uri ?? `sip:alice@${SERVER}`} SIP/2.0`,
    `Via: SIP/2.0/${(request.transport ?? 'udp').toUpperCase()} ${PEER}:${PEER_PORT};branch=${branch}`,
    'Max-Forwards: 70',
    `From: <sip:bob@${PEER}>;tag=${fromTag}`,
    `To: <sip:alice@${SERVER}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${request.cseqMethod ?? method}`,
    ...(method === 'INVITE' ? [`Contact: <sip:bob@${PEER}:${PEER_PORT}>`] : []),
    ...headers,
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A peer's response to a request the server has sent. */
export function peerResponse(
  request: SipMessage,
  status: number,
  options: { tag?: string; headers?: readonly string[]; contact?: string | null; body?: string } = {},
): string {
  const { tag = 'peer', headers = [], contact = `<sip:bob@${PEER}:${PEER_PORT}>`, body = '' } = options;
  const to = request.headers.get('to') ?? '';
  const lines = [
    `SIP/2.0 ${status} Whatever`,
    ...request.headers.all('via').map((via) => `Via: ${via}`),
    `From: ${request.headers.get('from')}`,
    `To: ${to}${/;tag=/.test(to) || status === 100 ? '' : `;tag=${tag}`}`,
    `Call-ID: ${request.callId}`,
    `CSeq: ${request.headers.get('cseq')}`,
    ...(contact === null ? [] : [`Contact: ${contact}`]),
    ...headers,
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export function tag(message: SipMessage, of: 'from' | 'to'): string {
  return message[of].params.get('tag') ?? '';
}
