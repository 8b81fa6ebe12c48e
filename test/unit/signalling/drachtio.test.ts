import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SignallingEvent } from '../../../plugin/call/ports.js';
import { DrachtioConnection } from '../../../plugin/signalling/drachtio/drachtio.js';
import { DrachtioSignalling } from '../../../plugin/signalling/signalling.js';
import { ControlServer, type SipFrame } from './support/control-server.js';

let server: ControlServer;
let connection: DrachtioConnection;

beforeEach(async () => {
  server = await ControlServer.start();
  connection = new DrachtioConnection({ ...server.address, pingMs: 500 });
  await connection.connect();
});

afterEach(() => {
  connection.close();
  server.close();
});

const sdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const dialog = 'call-1;from-tag=ours';

/** The headers of one call's messages. */
const head = (cseq: string, [from, to]: readonly [string, string]) =>
  [
    'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1',
    `From: <sip:a@127.0.0.1>;tag=${from}`,
    `To: <sip:b@127.0.0.1>;tag=${to}`,
    'Call-ID: call-1',
    `CSeq: ${cseq}`,
    'Contact: <sip:b@192.0.2.7>',
  ].join('\r\n');

function call(extra = ''): { events: SignallingEvent[]; last: (type: string) => Promise<SignallingEvent> } {
  const events: SignallingEvent[] = [];
  let waiting: (() => void)[] = [];
  new DrachtioSignalling(connection, { fromName: 'test' }).invite(
    {
      callId: 'c1',
      uri: `sip:b@127.0.0.1${extra}`,
      from: 'sip:a@127.0.0.1',
      offer: { address: '192.0.2.1', media: [] },
    },
    (event) => {
      events.push(event);
      const resolve = waiting;
      waiting = [];
      for (const one of resolve) one();
    },
  );
  const last = async (type: string) => {
    for (;;) {
      const found = events.find((event) => event.type === type);
      if (found) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { events, last };
}

function asSent(frame: SipFrame): string {
  return frame.text.replace('\r\n', `\r\n${head('1 INVITE', ['ours', '']).replace(';tag=\r\n', '\r\n')}\r\n`);
}

describe('frames in one read', () => {
  it('a BYE behind the answer ends the call that the answer has begun', async () => {
    const { events, last } = call();
    const invite = await server.find(/^INVITE/);
    const answer = `SIP/2.0 200 OK\r\n${head('1 INVITE', ['ours', 'theirs'])}\r\nContent-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`;
    const bye = `BYE sip:a@127.0.0.1 SIP/2.0\r\n${head('7 BYE', ['theirs', 'ours'])}\r\nContent-Length: 0\r\n\r\n`;
    server.write(
      server.sent(invite, 't1', asSent(invite)),
      server.received('t1', dialog, answer),
      server.received('t2', dialog, bye),
    );
    expect(await last('ended')).toMatchObject({ termination: { reason: 'hung up by the far end' } });
    expect(events.map(({ type }) => type)).toEqual(['answered', 'ended']);
    const reply = await server.find(/^SIP\/2\.0 200/);
    expect(reply.transaction).toBe('t2');
    expect(server.frames.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['INVITE', 'ACK', 'SIP/2.0']);
  });

  it('a re-INVITE without SDP behind the answer is told as one', async () => {
    const { last } = call();
    const invite = await server.find(/^INVITE/);
    const answer = `SIP/2.0 200 OK\r\n${head('1 INVITE', ['ours', 'theirs'])}\r\nContent-Length: 0\r\n\r\n`;
    const again = `INVITE sip:a@127.0.0.1 SIP/2.0\r\n${head('7 INVITE', ['theirs', 'ours'])}\r\nContent-Length: 0\r\n\r\n`;
    server.write(
      server.sent(invite, 't1', asSent(invite)),
      server.received('t1', dialog, answer),
      server.received('t2', dialog, again),
    );
    expect(await last('offered')).toEqual({ type: 'offered' });
  });
});

describe('what is too long for the server', () => {
  it('fails a call with words for a person, and is never sent', async () => {
    // Only to show that the next one is: 12,000 bytes of description.
    const formats = Array.from({ length: 300 }, (_, index) => ({
      payloadType: index % 128,
      encoding: 'x'.repeat(30),
      clockRate: 8000,
    }));
    const media = [{ kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv' as const, formats }];
    const failed = await new Promise<SignallingEvent>((resolve) =>
      new DrachtioSignalling(connection, { fromName: 'test' }).invite(
        { callId: 'c1', uri: 'sip:b@127.0.0.1', from: 'sip:a@127.0.0.1', offer: { address: '192.0.2.1', media } },
        resolve,
      ),
    );
    expect(failed).toMatchObject({
      type: 'failed',
      termination: {
        result: 'signalling-failed',
        reason: expect.stringMatching(/^the message has \d+ bytes, more than the 11500 that a drachtio server takes$/),
      },
    });
    call();
    await server.find(/^INVITE/);
    expect(server.frames).toHaveLength(1);
  });

  it('is not sent either when a caller has made it so: the names of its INVITE come back in every response', async () => {
    new DrachtioSignalling(connection, { fromName: 'test' }).onInvite((invite) => invite.reject(486));
    const invite = (name: string) =>
      `INVITE sip:a@127.0.0.1 SIP/2.0\r\n${head('1 INVITE', ['theirs', '']).replace(';tag=\r\n', '\r\n').replace('From: ', `From: "${name}" `)}\r\nContent-Length: 0\r\n\r\n`;
    server.write(server.received('t1', '', invite('x'.repeat(12_000))), server.received('t2', '', invite('Bob')));
    expect((await server.find(/^SIP\/2\.0/)).transaction).toBe('t2');
    expect(Math.max(...server.frames.map(({ bytes }) => bytes))).toBeLessThan(12_228);
  });
});

describe('the connection', () => {
  it('is given up and made anew when the server answers no ping any more', async () => {
    while (server.pings < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.connections).toBe(1);
    server.alive = false;
    const reason = await new Promise<string>((resolve) => connection.once('down', resolve));
    expect(reason).toMatch(/no answer to a ping within 500 ms/);
    server.alive = true;
    await new Promise<void>((resolve) => connection.once('up', () => resolve()));
    expect(server.connections).toBe(2);
  });

  it('stays as long as pings are answered', async () => {
    while (server.pings < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(connection.up).toBe(true);
    expect(server.connections).toBe(1);
  });

  it.each([
    ['SUBSCRIBE', 405],
    ['BYE', 481],
  ])('a %s that nobody waits for gets %i', async (method, status) => {
    const tag = status === 481 ? 'ours' : '';
    const text = `${method} sip:a@127.0.0.1 SIP/2.0\r\n${head(`1 ${method}`, ['theirs', tag]).replace(';tag=\r\n', '\r\n')}\r\nContent-Length: 0\r\n\r\n`;
    server.write(server.received('t1', '', text));
    expect((await server.find(/^SIP\/2\.0/)).startLine).toContain(String(status));
  });
});
