import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { EmbeddedSip, type EmbeddedSipOptions, type SipLogEvent } from 'embedded-sip';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from '../../unit/sip/support/fake-clock.js';
import { RawControl } from './support/raw.js';
import { type Dialog, type Request, type Response, sdp, srfApp } from './support/srf-app.js';

async function start(scope: Scope, options: Partial<EmbeddedSipOptions> = {}) {
  const log = new EventLog<SipLogEvent>('log');
  const server = await EmbeddedSip.start({
    host: '127.0.0.1',
    port: 0,
    logger: (event) => log.push(event),
    ...options,
  });
  scope.defer(() => server.close());
  return { server, log };
}

/** A peer of few words over UDP. */
class UdpPeer {
  readonly port: number;
  readonly heard = new EventLog<string>('peer');
  readonly #socket: UdpSocket;
  readonly #to: number;

  private constructor(socket: UdpSocket, to: number) {
    this.#socket = socket;
    this.#to = to;
    this.port = socket.address().port;
    socket.on('message', (message) => this.heard.push(message.toString('latin1')));
  }

  static async open(scope: Scope, server: EmbeddedSip): Promise<UdpPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    scope.defer(() => socket.close());
    return new UdpPeer(socket, server.sip.port);
  }

  send(text: string | Uint8Array): void {
    this.#socket.send(text, this.#to, '127.0.0.1');
  }

  next(begin: string): Promise<string> {
    return this.heard.find(begin, (text) => text.startsWith(begin));
  }
}

/** A peer of few words over TCP. */
class TcpPeer {
  readonly heard = new EventLog<string>('peer');
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.heard.push(chunk.toString('latin1')));
  }

  static async open(scope: Scope, server: EmbeddedSip, localAddress = '127.0.0.1'): Promise<TcpPeer> {
    const socket = connect({ port: server.sip.port, host: '127.0.0.1', localAddress, noDelay: true });
    await once(socket, 'connect');
    scope.defer(() => socket.destroy());
    return new TcpPeer(socket);
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Everything heard so far, when it has come to contain that. */
  async until(part: string): Promise<string> {
    await this.heard.find(part, () => this.heard.all.join('').includes(part));
    return this.heard.all.join('');
  }
}

const options = (branch: string, transport = 'UDP', more = '') =>
  `OPTIONS sip:busy@localhost SIP/2.0\r\nVia: SIP/2.0/${transport} 127.0.0.1:9;branch=z9hG4bK${branch}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c-${branch}\r\nCSeq: 1 OPTIONS\r\n${more}Content-Length: 0\r\n\r\n`;

describe('frames as the drachtio server sends them', () => {
  const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
  const time = '\\d\\d:\\d\\d:\\d\\d\\.\\d{6}';
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  /** `~u` is any id, `~t` any time. */
  const pattern = (text: string) => new RegExp(`^${literal(text).replaceAll('~u', uuid).replaceAll('~t', time)}$`);

  test('an incoming call from INVITE to BYE', async ({ scope }) => {
    const { server } = await start(scope);
    const { port } = server.sip;
    const control = await RawControl.login(scope, server);
    control.send('r|route|invite');
    expect(await control.payload()).toMatch(pattern('~u|response|r|OK'));
    const peer = await UdpPeer.open(scope, server);
    const head = (method: string, cseq: number, n: number, to = '') =>
      `${method} sip:1000@127.0.0.1:${port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK-${n}~RPORT\r\nFrom: "Alice A" <sip:alice@127.0.0.1:${peer.port}>;tag=abc\r\nTo: <sip:1000@127.0.0.1:${port}>${to}\r\nCall-ID: 1-6193@127.0.0.1\r\nCSeq: ${cseq} ${method}\r\n`;
    const send = (text: string) => peer.send(text.replace('~RPORT', ''));
    const shown = (text: string) => text.replace('~RPORT', `;rport=${peer.port}`);

    const invite = `${head('INVITE', 1, 0)}Contact:   <sip:alice@127.0.0.1:${peer.port}>\r\nContent-Length:   ${sdp().length}\r\n\r\n${sdp()}`;
    send(invite);
    const bytes = invite.length - '~RPORT'.length;
    const first = await control.payload();
    expect(first).toMatch(
      pattern(`~u|sip|network|${bytes}|udp|127.0.0.1|${peer.port}|~t|~u||127.0.0.1|${port}|\r\n${shown(invite)}`),
    );
    const txn = first.split('|')[8] ?? '';
    expect(await peer.next('SIP/2.0 100 Trying\r\n')).toContain(`\r\nTo: <sip:1000@127.0.0.1:${port}>\r\n`);

    const dialog = '1-6193@127.0.0.1;from-tag=abc';
    control.send(`a|sip|${txn}|\r\nSIP/2.0 200 OK\r\nContent-Length: 9\r\n\r\n${sdp()}`);
    const ok = await peer.next('SIP/2.0 200');
    expect(await control.payload()).toMatch(
      pattern(
        `~u|response|a|OK|application|${ok.length}|udp|127.0.0.1|${peer.port}|~t|${txn}|${dialog}||Msg sent:|\r\n${ok}`,
      ),
    );
    expect(ok).toContain(`Contact: <sip:127.0.0.1:${port}>\r\n`);
    const tag = /^To: .*(;tag=.*)\r$/m.exec(ok)?.[1] ?? '';

    const ack = `${head('ACK', 1, 5, tag)}Content-Length: 0\r\n\r\n`;
    send(ack);
    expect(await control.payload()).toMatch(
      pattern(`~u|sip|network|${ack.length - 6}||127.0.0.1|${peer.port}|~t|${txn}|${dialog}|\r\n${shown(ack)}`),
    );

    const bye = `${head('BYE', 2, 7, tag)}Content-Length: 0\r\n\r\n`;
    send(bye);
    const last = await control.payload();
    expect(last).toMatch(
      pattern(`~u|sip|network|${bye.length - 6}|udp|127.0.0.1|${peer.port}|~t|~u|${dialog}|\r\n${shown(bye)}`),
    );
    const byeTxn = last.split('|')[8] ?? '';
    expect(byeTxn).not.toBe(txn);
    control.send(`b|sip|${byeTxn}|\r\nSIP/2.0 200 OK\r\n\r\n`);
    const done = await peer.heard.find('the 200 of the BYE', (text) => text.includes('CSeq: 2 BYE'));
    expect(await control.payload()).toMatch(
      pattern(
        `~u|response|b|OK|application|${done.length}||127.0.0.1|${peer.port}|~t|${byeTxn}|||Msg sent:|\r\n${done}`,
      ),
    );
  });

  test('an outgoing call: sent, ringing, refused', async ({ scope }) => {
    const { server } = await start(scope);
    const control = await RawControl.login(scope, server);
    const peer = await UdpPeer.open(scope, server);
    control.send(
      `i|sip||\r\nINVITE sip:x@127.0.0.1:${peer.port};transport=udp SIP/2.0\r\nFrom: <sip:srf@localhost>;x=y\r\n\r\n${sdp()}`,
    );
    const invite = await peer.next('INVITE ');
    const sent = await control.payload();
    expect(sent).toMatch(
      pattern(
        `~u|response|i|OK|application|${invite.length}|udp|127.0.0.1|${server.sip.port}|~t|~u|Msg sent:|\r\n${invite}`,
      ),
    );
    const txn = sent.split('|')[10] ?? '';
    const lines = invite.split('\r\n');
    const copied = lines.filter((line) => /^(Via|From|Call-ID|CSeq):/.test(line));
    const to = `${lines.find((line) => line.startsWith('To:'))};tag=peer`;
    const ringing = ['SIP/2.0 180 Ringing', ...copied, to, 'Content-Length: 0', '', ''].join('\r\n');
    peer.send(ringing);
    const callId = /^Call-ID: (.*)\r$/m.exec(invite)?.[1];
    const fromTag = /^From: .*;tag=(.*)\r$/m.exec(invite)?.[1];
    expect(await control.payload()).toMatch(
      pattern(
        `~u|sip|network|${ringing.length}|udp|127.0.0.1|${peer.port}|~t|${txn}|${callId};from-tag=${fromTag}|\r\n${ringing}`,
      ),
    );
    control.send(`k|sip|${txn}|\r\nCANCEL sip:x SIP/2.0\r\n\r\n`);
    const cancel = await peer.next('CANCEL ');
    expect(await control.payload()).toMatch(
      pattern(
        `~u|response|k|OK|application|${cancel.length}|udp|127.0.0.1|${server.sip.port}|~t|~u|Msg sent:|\r\n${cancel}`,
      ),
    );
    peer.send(ringing.replace('180 Ringing', '487 Request Terminated'));
    await peer.next('ACK ');
    expect(await control.payload()).toContain(
      `|${txn}|${callId};from-tag=${fromTag}|\r\nSIP/2.0 487 Request Terminated\r\n`,
    );
    control.send(`z|sip||${callId};from-tag=${fromTag}\r\nACK sip:x SIP/2.0\r\n\r\n`);
    expect(await control.payload()).toMatch(
      pattern(
        '~u|response|z|NOK|Server error: ACK for non-success final response is automatically generated by server',
      ),
    );
  });

  test('frames in one segment, and one frame in many', async ({ scope }) => {
    const { server } = await start(scope);
    const control = await RawControl.login(scope, server);
    control.write('6#1|ping6#2|ping');
    for (const id of ['1', '2']) expect(await control.payload()).toContain(`|response|${id}|OK|pong`);
    for (const byte of '6#3|ping') control.write(byte);
    expect(await control.payload()).toContain('|response|3|OK|pong');
  });
});

describe('TCP', () => {
  test('pipelined requests are answered in order, keep-alives with CRLF', async ({ scope }) => {
    const { server } = await start(scope);
    const peer = await TcpPeer.open(scope, server);
    peer.send('\r\n\r\n');
    expect(await peer.until('\r\n')).toBe('\r\n');
    peer.send(options('1', 'TCP') + options('2', 'TCP'));
    const heard = await peer.until('Call-ID: c-2');
    expect(heard.indexOf('Call-ID: c-1')).toBeGreaterThan(0);
    expect(heard.match(/SIP\/2\.0 200/g)).toHaveLength(2);
  });

  test('a hundred requests in one write are all answered, in their order', async ({ scope }) => {
    const { server } = await start(scope);
    const peer = await TcpPeer.open(scope, server);
    const all = Array.from({ length: 100 }, (_, n) => String(n));
    peer.send(all.map((n) => options(n, 'TCP')).join(''));
    const heard = await peer.until('Call-ID: c-99\r\n');
    expect([...heard.matchAll(/^Call-ID: c-(\d+)\r$/gm)].map(([, n]) => n)).toEqual(all);
  });

  test('a request that comes byte by byte is answered once', async ({ scope }) => {
    const { server } = await start(scope);
    const peer = await TcpPeer.open(scope, server);
    for (const byte of `${options('slow', 'TCP')}\r\n\r\n`) {
      peer.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const heard = await peer.until('\r\n\r\n\r\n');
    expect(heard.match(/SIP\/2\.0 /g)).toHaveLength(1);
  });

  test.for([
    ['negative', 'Content-Length: -5'],
    ['twice', 'Content-Length: 0\r\nl: 4'],
  ] as const)('a Content-Length that is %s: 400, and the connection is closed', async ([, line], { scope }) => {
    const { server, log } = await start(scope);
    const peer = await TcpPeer.open(scope, server);
    const lie = options('lie', 'TCP').replace('Content-Length: 0', line);
    peer.send(options('good', 'TCP') + lie + options('after', 'TCP'));
    const heard = await peer.until('400 Bad Request');
    await peer.closed;
    expect(heard.match(/SIP\/2\.0 \d+/g)).toEqual(['SIP/2.0 200', 'SIP/2.0 400']);
    await log.find('the reason', (event) => event.event === 'tcp-closed' && event.reason.includes('where the message'));
  });

  test('a Content-Length that is too small: the rest is no SIP, and the connection is closed', async ({ scope }) => {
    const { server, log } = await start(scope);
    const peer = await TcpPeer.open(scope, server);
    peer.send(`${options('short', 'TCP')}v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n`);
    await peer.until('c-short');
    await peer.closed;
    await log.find('the reason', (event) => event.event === 'tcp-closed' && event.reason === 'not SIP');
  });

  test('something else than SIP is not waited for', async ({ scope }) => {
    const { server } = await start(scope);
    const peer = await TcpPeer.open(scope, server);
    peer.send('GET / HTTP/1.1\r\nHost: localhost\r\n');
    await peer.closed;
    expect(peer.heard.all).toEqual([]);
  });

  test('a connection on which nothing happens is closed', async ({ scope }) => {
    const { server, log } = await start(scope, { limits: { tcpIdleMs: 50 } });
    const peer = await TcpPeer.open(scope, server);
    await peer.closed;
    await log.find('the reason', (event) => event.event === 'tcp-closed' && event.reason === 'idle');
  });

  test('too many connections from one address: the next is closed, others are not', async ({ scope }) => {
    const { server, log } = await start(scope, { limits: { tcpConnectionsPerAddress: 2 } });
    const first = await TcpPeer.open(scope, server);
    const second = await TcpPeer.open(scope, server);
    for (const [n, peer] of [first, second].entries()) {
      peer.send(options(String(n), 'TCP'));
      await peer.until(`c-${n}`);
    }
    await (await TcpPeer.open(scope, server)).closed;
    await log.find(
      'the limit',
      (event) => event.event === 'limit-reached' && event.limit === 'tcpConnectionsPerAddress',
    );
    const elsewhere = await TcpPeer.open(scope, server, '127.0.0.2');
    elsewhere.send(options('x', 'TCP'));
    await elsewhere.until('c-x');
    // What is closed by the server itself makes room, too.
    first.send('nonsense\r\n');
    await log.find('its end', (event) => event.event === 'tcp-closed' && event.reason === 'not SIP');
    const next = await TcpPeer.open(scope, server);
    next.send(options('y', 'TCP'));
    await next.until('c-y');
  });

  test.for([
    [
      'a message above the limit',
      `OPTIONS sip:a SIP/2.0\r\nContent-Length: 300000\r\n\r\n`,
      'message above 262144 bytes',
    ],
    ['an endless start line', 'x'.repeat(300_000), 'message above 262144 bytes'],
    ['an endless header section', `A a SIP/2.0\r\n${'X: y\r\n'.repeat(50_000)}`, 'message above 262144 bytes'],
  ] as const)('%s closes the connection with a reason', async ([, bytes, reason], { scope }) => {
    const { server, log } = await start(scope);
    const peer = await TcpPeer.open(scope, server);
    peer.send(bytes);
    await peer.closed;
    await log.find(reason, (event) => event.event === 'tcp-closed' && event.reason === reason);
  });

  test('a message that is begun and not finished closes the connection after 30 s', async ({ scope }) => {
    const clock = new FakeClock();
    const { server, log } = await start(scope, { clock });
    const peer = await TcpPeer.open(scope, server);
    peer.send(options('1', 'TCP'));
    await peer.until('Call-ID: c-1');
    peer.send(`${options('2', 'TCP')}OPTIONS sip:`);
    await peer.until('Call-ID: c-2');
    clock.advance(30_000);
    await peer.closed;
    await log.find('the reason', (event) => event.event === 'tcp-closed' && event.reason === 'unfinished message');
  });

  test('too many connections: the next is closed', async ({ scope }) => {
    const { server, log } = await start(scope, { limits: { tcpConnections: 2 } });
    for (const n of ['1', '2']) {
      const peer = await TcpPeer.open(scope, server);
      peer.send(options(n, 'TCP'));
      await peer.until(`c-${n}`);
    }
    await (await TcpPeer.open(scope, server)).closed;
    await log.find('the limit', (event) => event.event === 'limit-reached' && event.limit === 'tcpConnections');
  });

  test('a phone that registered is called back over its connection', async ({ scope }) => {
    const { server } = await start(scope);
    const app = await srfApp(scope, server, {
      register: (request: Request, response: Response) =>
        response.send(200, { headers: { Contact: `${request.get('Contact')};expires=60` } }),
    });
    const peer = await TcpPeer.open(scope, server);
    peer.send(
      options('r', 'TCP', 'Contact: <sip:phone@192.0.2.1:5060;transport=tcp>\r\n').replaceAll('OPTIONS', 'REGISTER'),
    );
    await peer.until('SIP/2.0 200');
    app.createUAC('sip:phone@192.0.2.1', { localSdp: sdp() }).catch(() => undefined);
    expect(await peer.until('INVITE ')).toContain('INVITE sip:phone@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP ');
  });

  test('a body of 150 kB reaches the application whole', async ({ scope }) => {
    const { server } = await start(scope);
    const got = new EventLog<string>('bodies');
    await srfApp(scope, server, {
      message: (request: Request, response: Response) => {
        got.push(request.body);
        response.send(200);
      },
    });
    const body = 'line of text\r\n'.repeat(10_700);
    const peer = await TcpPeer.open(scope, server);
    const head = options('m', 'TCP', 'Content-Type: text/plain\r\n')
      .replaceAll('OPTIONS', 'MESSAGE')
      .replace('busy', 'alice');
    peer.send(head.replace('Content-Length: 0', `Content-Length: ${body.length}`) + body);
    expect(await got.find('the body', () => true)).toBe(body);
    await peer.until('SIP/2.0 200');
  });
});

describe('UDP', () => {
  test('bytes after the body that is announced are left out, also when they look like a message', async ({ scope }) => {
    const { server } = await start(scope);
    const peer = await UdpPeer.open(scope, server);
    peer.send(options('first') + options('second'));
    peer.send(options('third'));
    await peer.heard.find('the third', (text) => text.includes('c-third'));
    expect(peer.heard.all.some((text) => text.includes('c-second'))).toBe(false);
  });

  test('a Content-Length above what came: 400', async ({ scope }) => {
    const { server } = await start(scope);
    const peer = await UdpPeer.open(scope, server);
    peer.send(options('long').replace('Content-Length: 0', 'Content-Length: 1'));
    expect(await peer.next('SIP/2.0 400')).toContain('c-long');
  });

  test('keep-alives and empty datagrams are no messages', async ({ scope }) => {
    const { server } = await start(scope);
    const peer = await UdpPeer.open(scope, server);
    for (const bytes of ['', '\0', '\r\n', '\r\n\r\n', '\0\0\0\0']) peer.send(bytes);
    peer.send(options('after'));
    await peer.next('SIP/2.0 200');
    expect(peer.heard.all).toHaveLength(1);
    expect(server.counts.dropped).toBe(0);
  });

  test('a datagram as large as there can be is shown whole, and its answer comes', async ({ scope }) => {
    const { server } = await start(scope);
    const got = new EventLog<number>('lengths');
    await srfApp(scope, server, {
      message: (request: Request, response: Response) => {
        got.push(request.body.length);
        response.send(200);
      },
    });
    const peer = await UdpPeer.open(scope, server);
    const body = 'line of text\r\n'.repeat(4_600);
    const head = options('big', 'UDP', 'Content-Type: text/plain\r\n')
      .replaceAll('OPTIONS', 'MESSAGE')
      .replace('busy', 'alice');
    peer.send(head.replace('Content-Length: 0', `Content-Length: ${body.length}`) + body);
    expect(await got.find('the body', () => true)).toBe(body.length);
    await peer.next('SIP/2.0 200');
  });
});

describe('noise', () => {
  test('the server lives on, counts what it drops, and leaves nothing behind', async ({ scope }) => {
    const { server } = await start(scope);
    const app = await srfApp(scope, server);
    const peer = await UdpPeer.open(scope, server);
    const good = options('x');
    const mutated = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, code]) => {
      const bytes = Buffer.from(good, 'latin1');
      bytes[at] = code;
      return bytes;
    });
    for (const bytes of fc.sample(fc.oneof(mutated, fc.uint8Array({ minLength: 5, maxLength: 400 })), {
      numRuns: 1_000,
      seed: 7,
    })) {
      peer.send(bytes);
    }
    peer.send(options('last'));
    await peer.heard.find('the last answer', (text) => text.includes('c-last'));
    expect(server.counts.dropped).toBeGreaterThan(100);
    const call: Dialog = await app.createUAC(`sip:echo@127.0.0.1:${server.sip.port}`, { localSdp: sdp() });
    await call.destroy();
  });

  test('an INVITE that is bounced to itself for ever ends', async ({ scope }) => {
    const { server } = await start(scope);
    const app = await srfApp(scope, server, {
      invite: (request: Request, response: Response) => {
        const left = Number(request.get('Max-Forwards')) - 1;
        app
          .createUAC(`sip:me@127.0.0.1:${server.sip.port}`, {
            localSdp: sdp(),
            headers: { 'Max-Forwards': String(left) },
          })
          .catch((error: { status: number }) => response.send(error.status));
      },
    });
    const outcome = app.createUAC(`sip:me@127.0.0.1:${server.sip.port}`, { localSdp: sdp() });
    await expect(outcome).rejects.toMatchObject({ status: 483 });
  });

  test('five hundred short calls leave no dialog and, when their timers are over, no transaction', async ({
    scope,
  }) => {
    const clock = new FakeClock();
    const { server } = await start(scope, { clock });
    const app = await srfApp(scope, server);
    const uri = (user: string, n: number) =>
      `sip:${user}@127.0.0.1:${server.sip.port};transport=${n % 2 ? 'udp' : 'tcp'}`;
    for (let round = 0; round < 25; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          if (n % 4 === 0) await app.createUAC(uri('busy', n), { localSdp: sdp() }).catch(() => undefined);
          else await (await app.createUAC(uri('echo', n), { localSdp: sdp() })).destroy();
        }),
      );
    }
    clock.advance(200_000);
    expect(server.counts).toMatchObject({ transactions: 0, dialogs: 0, dropped: 0 });
    expect(clock.pendingCount).toBe(0);
  });
});
