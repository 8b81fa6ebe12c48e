import { type AmfValue, encodeAmf0, RtmpServer } from 'rtmp-server-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  InviteRequest,
  RegistrarAddress,
  RegistrationEvent,
  RegistrationRequest,
  SignallingEvent,
  TextRequest,
} from '../../../plugin/call/ports.js';
import { CallRegistry } from '../../../plugin/call/registry.js';
import type { MediaDescription } from '../../../plugin/call/session-description.js';
import { serveClient } from '../../../plugin/client/client.js';
import { Lines } from '../../../plugin/client/lines.js';
import { fakeLeg } from '../../call/fake-leg.js';
import type { Received } from '../../support/message-reader.js';
import { RawClient } from './raw-client.js';

// What the librtmp test phone of the SEMS plugin sends, as recorded (the type 3 headers every 128 bytes are its own).
const recorded = {
  // connect {app: "sip", tcUrl: "rtmp://127.0.0.1:1936/sip", fpad: false, capabilities: 15, audioCodecs: 3191,
  //          videoCodecs: 252, videoFunction: 1}, transaction 1
  connect: `030000000000a81400000000 020007636f6e6e656374 003ff0000000000000 03 0003617070 020003736970 0005746355726c 02001972746d703a2f2f3132372e302e302e313a313933362f736970 000466706164 0100
    000c6361706162696c6974696573 00402e000000000000 000b617564696f436f64656373 0040a8ee0000000000 000b766964656f436f c3 64656373
    00406f800000000000 000d766964656f46756e6374696f6e 003ff0000000000000 000009`,
  // register(), transaction 2
  register: '4300000000001514 0200087265676973746572 004000000000000000 05',
  // dial("sip:test@127.0.0.1:5091"), transaction 3
  dial: '4300000000002b14 0200046469616c 004008000000000000 05 0200177369703a74657374403132372e302e302e313a35303931',
  // createStream(), transactions 4 and 5
  createStreams: `43000000000019 14 02000c63726561746553747265616d 004010000000000000 05
    c3 02000c63726561746553747265616d 004014000000000000 05`,
  // publish("dummy", "live") on message stream 1, play("dummy", "live") on 2
  publishAndPlay: `080000000000231401000000 0200077075626c697368 000000000000000000 05 02000564756d6d79 0200046c697665
    0800000000002014 02000000 020004706c6179 000000000000000000 05 02000564756d6d79 0200046c697665`,
  // hangup(), transaction 6
  hangup: '4300000000001314 02000668616e677570 004018000000000000 05',
};

/** A command as any client may send it: type 0 header on chunk stream 3, message stream 0. */
function command(name: string, transaction: number, ...args: AmfValue[]): string {
  const payload = Buffer.from(encodeAmf0([name, transaction, null, ...args]));
  const header = Buffer.of(0x03, 0, 0, 0, payload.length >> 16, payload.length >> 8, payload.length, 0x14, 0, 0, 0, 0);
  const chunks: Buffer[] = [header];
  for (let at = 0; at < payload.length; at += 128) {
    if (at > 0) chunks.push(Buffer.of(0xc3));
    chunks.push(payload.subarray(at, at + 128));
  }
  return Buffer.concat(chunks).toString('hex');
}

const audio: MediaDescription = { kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [] };

/** Whether the far end takes keys in RTP. */
let rtpEvents: boolean;
let sent: TextRequest[];
let refuseText: string | undefined;
let registered: RegistrationRequest[];
let home: RegistrarAddress | undefined;
let tellRegistration: (event: RegistrationEvent) => void;
let server: RtmpServer;
let lines: Lines;
let phone: RawClient;
let invited: InviteRequest[];
let signalled: string[];
let signal: (event: SignallingEvent) => void;

beforeEach(async () => {
  invited = [];
  rtpEvents = true;
  sent = [];
  refuseText = undefined;
  registered = [];
  home = undefined;
  signalled = [];
  server = new RtmpServer();
  lines = new Lines();
  const calls = new CallRegistry();
  server.on('connection', (session) =>
    serveClient(session, {
      ports: {
        signalling: {
          resolve: (uri) => (uri.startsWith('sip:') ? { uri } : { refusal: `${uri} is no SIP address` }),
          invite: (request, listener) => {
            invited.push(request);
            signal = listener;
            const leg = fakeLeg((asked) => signalled.push(asked));
            return { ...leg, cancel: () => signalled.push('CANCEL'), bye: () => signalled.push('BYE') };
          },
        },
        media: {
          open: async () => ({
            offer: { address: '192.0.2.1', media: [] },
            accept: async () => {},
            check: () => {},
            answer: async () => ({ address: '192.0.2.1', media: [] }),
            reoffer: (direction) => ({ address: '192.0.2.1', media: [{ ...audio, direction }] }),
            sendDtmf: (digits, ms) => rtpEvents && signalled.push(`RTP ${digits} ${ms}`) > 0,
            write: () => {},
            close: () => ({}),
          }),
        },
        timers: { after: () => () => {} },
        observer: { changed: () => {}, transferred: () => {}, finished: (call) => calls.remove(call) },
      },
      calls,
      domain: () => '192.0.2.1',
      ringTimeMs: 60_000,
      lines,
      registrations: {
        home: () => home,
        register: (request, listener) => {
          registered.push(request);
          tellRegistration = listener;
          return { end: () => signalled.push('un-REGISTER') };
        },
      },
      messages: {
        sendMessage: async (request) => {
          if (refuseText !== undefined) throw new Error(refuseText);
          sent.push(request);
        },
      },
      shared: new Map(),
      log: { info: () => {} },
    }),
  );
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  phone = await RawClient.connect(port);
});

afterEach(async () => {
  phone.close();
  await server.close();
});

const status = (code: number, extra = {}) => ({
  type: 'command',
  chunkStreamId: 3,
  streamId: 0,
  name: 'onStatus',
  transactionId: 0,
  commandObject: null,
  args: [{ level: 'status', code: 'Sono.Call.Status', status_code: code, ...extra }],
});

const statuses = () =>
  phone.received.flatMap((message) => {
    const info = message.type === 'command' && message.name === 'onStatus' ? message.args[0] : undefined;
    return info && typeof info === 'object' && 'status_code' in info ? [info.status_code] : [];
  });

const answerTo = (transaction: number) => (message: Received) =>
  message.type === 'command' && message.transactionId === transaction;

const untilStatus = (code: number) =>
  phone.find((message) => message.type === 'command' && statusCode(message) === code);

function statusCode(message: Received): unknown {
  const info = message.type === 'command' ? message.args[0] : undefined;
  return info && typeof info === 'object' && 'status_code' in info ? info.status_code : undefined;
}

async function connected(): Promise<void> {
  phone.send(recorded.connect);
  await phone.find(answerTo(1));
}

async function calling(): Promise<void> {
  await connected();
  phone.send(recorded.dial);
  await untilStatus(1);
  while (invited.length === 0) await new Promise(setImmediate);
}

describe('the Sono API on the wire', () => {
  it('answers connect with window, bandwidth, chunk size and _result, in this order', async () => {
    await connected();
    expect(phone.received.map(({ type }) => type)).toEqual([
      'windowAcknowledgementSize',
      'setPeerBandwidth',
      'setChunkSize',
      'command',
    ]);
    expect(phone.received[3]).toMatchObject({
      chunkStreamId: 3,
      streamId: 0,
      name: '_result',
      transactionId: 1,
      commandObject: { fmsVer: 'FMS/3,5,1,525', capabilities: 31, mode: 1 },
      args: [
        {
          level: 'status',
          code: 'NetConnection.Connect.Success',
          description: expect.any(String),
          objectEncoding: 0,
        },
      ],
    });
  });

  it('answers register() at once with a made-up address that no second client gets', async () => {
    await connected();
    phone.send(recorded.register);
    const answer = await phone.find(answerTo(2));
    expect(answer).toMatchObject({
      chunkStreamId: 3,
      streamId: 0,
      name: '_result',
      commandObject: null,
      args: [{ level: 'status', uri: expect.stringMatching(/^sip:[0-9a-f-]{36}@192\.0\.2\.1$/) }],
    });
  });

  it('dials without a reply and pushes 1 on message stream 0, chunk stream 3', async () => {
    await calling();
    expect(phone.received.at(-1)).toMatchObject(status(1));
    expect(phone.received.filter(answerTo(3))).toEqual([]);
    expect(invited[0]).toMatchObject({
      uri: 'sip:test@127.0.0.1:5091',
      from: expect.stringMatching(/^sip:[0-9a-f-]{36}@192\.0\.2\.1$/),
    });
  });

  it('pushes 1 for each provisional response, then 4 and 2', async () => {
    await calling();
    signal({ type: 'provisional', status: 180, reason: 'Ringing' });
    signal({ type: 'answered', answer: { address: '192.0.2.2', media: [] } });
    await untilStatus(2);
    expect(statuses()).toEqual([1, 1, 4, 2]);
  });

  it('makes streams 1 and 2, starts both on their own message streams', async () => {
    await connected();
    phone.send(recorded.createStreams);
    expect(await phone.find(answerTo(4))).toMatchObject({ name: '_result', commandObject: null, args: [1] });
    expect(await phone.find(answerTo(5))).toMatchObject({ name: '_result', commandObject: null, args: [2] });
    const before = phone.received.length;
    phone.send(recorded.publishAndPlay);
    await phone.find((message) => message.type === 'command' && message.streamId === 2, before);
    expect(phone.received.slice(before)).toMatchObject([
      { type: 'userControl', event: 'streamBegin', eventStreamId: 1 },
      { type: 'command', streamId: 1, name: 'onStatus', args: [{ code: 'NetStream.Publish.Start' }] },
      { type: 'userControl', event: 'streamBegin', eventStreamId: 2 },
      {
        type: 'command',
        streamId: 2,
        name: 'onStatus',
        args: [
          {
            level: 'status',
            code: 'NetStream.Play.Start',
            description: expect.any(String),
            details: 'dummy',
            clientid: expect.anything(),
          },
        ],
      },
    ]);
  });

  it('answers getStreamLength with 0', async () => {
    await connected();
    phone.send(command('getStreamLength', 9, 'dummy'));
    expect(await phone.find(answerTo(9))).toMatchObject({ name: '_result', commandObject: null, args: [0] });
  });

  it('hangs up while ringing: CANCEL and 3, then 0 at the final response', async () => {
    await calling();
    phone.send(recorded.hangup);
    await untilStatus(3);
    expect(signalled).toEqual(['CANCEL']);
    expect(statuses()).toEqual([1, 3]);
    signal({ type: 'failed', termination: { result: 'no-answer', reason: 'Request Terminated', sipStatus: 487 } });
    expect(await untilStatus(0)).toMatchObject(status(0, { sip_status: 487 }));
    expect(phone.received.filter(answerTo(6))).toEqual([]);
  });

  it('hangs up in a call: BYE and 3, then 0', async () => {
    await calling();
    signal({ type: 'answered', answer: { address: '192.0.2.2', media: [] } });
    phone.send(recorded.hangup);
    await untilStatus(3);
    expect(signalled).toEqual(['BYE']);
    signal({ type: 'ended', termination: { result: 'completed', reason: 'call ended' } });
    await untilStatus(0);
    expect(statuses()).toEqual([1, 4, 2, 3, 0]);
  });

  it('pushes 0 for the far end’s BYE and for a refusal, with the SIP status', async () => {
    await calling();
    signal({ type: 'failed', termination: { result: 'busy', reason: 'Busy Here', sipStatus: 486 } });
    expect(await untilStatus(0)).toMatchObject(status(0, { sip_status: 486, reason: 'Busy Here' }));
  });

  const refusals: [string, AmfValue[], string][] = [
    ['nothing', [], 'Sono.Call.NoUri'],
    ['an empty string', [''], 'Sono.Call.NoUri'],
    ['null', [null], 'Sono.Call.NoUri'],
    ['a number', [123], 'Sono.Call.Failed'],
    ['an object', [{ uri: 'sip:a@b' }], 'Sono.Call.Failed'],
    ['no SIP address', ['tel-nobody'], 'Sono.Call.Failed'],
  ];
  it.each(refusals)('refuses to dial %s', async (_, args, code) => {
    await connected();
    phone.send(command('dial', 7, ...args));
    expect(await phone.find(answerTo(7))).toMatchObject({
      chunkStreamId: 3,
      streamId: 0,
      name: '_error',
      commandObject: null,
      args: [{ level: 'error', code, description: expect.any(String) }],
    });
    expect(statuses()).toEqual([]);
  });

  it('refuses a second dial while a call is up or being set up, and takes one afterwards', async () => {
    await calling();
    phone.send(command('dial', 7, 'sip:other@192.0.2.9'));
    expect(await phone.find(answerTo(7))).toMatchObject({ name: '_error', args: [{ code: 'Sono.Call.Existing' }] });
    signal({ type: 'failed', termination: { result: 'busy', reason: 'Busy Here', sipStatus: 486 } });
    phone.send(command('dial', 8, 'sip:other@192.0.2.9'));
    while (invited.length < 2) await new Promise(setImmediate);
    expect(invited[1]).toMatchObject({ uri: 'sip:other@192.0.2.9' });
  });

  it('answers an unknown command with NetConnection.Call.Failed and stays', async () => {
    await connected();
    phone.send(command('makeCoffee', 7, 'black'));
    expect(await phone.find(answerTo(7))).toMatchObject({
      name: '_error',
      args: [{ code: 'NetConnection.Call.Failed', description: expect.stringContaining('makeCoffee') }],
    });
    phone.send(recorded.register);
    expect(await phone.find(answerTo(2))).toMatchObject({ name: '_result' });
  });

  it('ends the call of a client that goes', async () => {
    await calling();
    signal({ type: 'answered', answer: { address: '192.0.2.2', media: [] } });
    phone.close();
    while (signalled.length === 0) await new Promise(setImmediate);
    expect(signalled).toEqual(['BYE']);
  });

  /** Somebody calls the address that register() gave. */
  async function called(): Promise<void> {
    await connected();
    phone.send(recorded.register);
    const answer = await phone.find(answerTo(2));
    const info = answer.type === 'command' ? answer.args[0] : undefined;
    const uri = info && typeof info === 'object' && 'uri' in info ? String(info.uri) : '';
    const user = /^sip:(.*)@/.exec(uri)?.[1] ?? '';
    lines.route({
      callId: 'incoming',
      caller: { called: user, from: 'sip:bob@192.0.2.7', displayName: 'Bob' },
      offer: { address: '192.0.2.7', media: [] },
      listen: (listener) => {
        signal = listener;
      },
      ring: () => signalled.push('180'),
      answer: () => signalled.push('200'),
      reject: (sipStatus) => signalled.push(String(sipStatus)),
      ...fakeLeg((asked) => signalled.push(asked)),
      bye: () => signalled.push('BYE'),
    });
    const push = await phone.find((message) => message.type === 'command' && message.name === 'onStatus');
    expect(push).toMatchObject({
      chunkStreamId: 3,
      streamId: 0,
      transactionId: 0,
      commandObject: null,
      args: [{ level: 'status', code: 'Sono.Call.Incoming', uri: user, from: 'sip:bob@192.0.2.7', displayName: 'Bob' }],
    });
  }

  it('announces an incoming call; accept() answers it: 4, 2', async () => {
    await called();
    phone.send(command('accept', 7));
    while (!signalled.includes('200')) await new Promise(setImmediate);
    signal({ type: 'established' });
    await untilStatus(2);
    expect(statuses()).toEqual([4, 2]);
    expect(phone.received.filter(answerTo(7))).toEqual([]);
  });

  const rejections: [string, string, AmfValue[], string][] = [
    ['hangup()', 'hangup', [], '486'],
    ['reject()', 'reject', [], '486'],
    ['reject(603)', 'reject', [603], '603'],
  ];
  it.each(rejections)('refuses an incoming call: %s', async (_, name, args, sipStatus) => {
    await called();
    phone.send(command(name, 7, ...args));
    await untilStatus(0);
    expect(signalled).toEqual(['180', sipStatus]);
  });

  it('takes no other status than a final one for reject', async () => {
    await called();
    for (const [transaction, status] of [
      [7, 200],
      [8, '486'],
      [9, 1e9],
    ] as const) {
      phone.send(command('reject', transaction, status));
      expect(await phone.find(answerTo(transaction))).toMatchObject({ name: '_error' });
    }
    expect(signalled).toEqual(['180']);
  });

  it('tells 0 when the caller gives up', async () => {
    await called();
    signal({ type: 'failed', termination: { result: 'cancelled', reason: 'cancelled by the caller' } });
    await untilStatus(0);
    expect(statuses()).toEqual([0]);
  });

  it('registers the made-up address too where a registrar is configured, and tells when that comes to nothing', async () => {
    home = { domain: 'pbx.example', registrar: 'sip:192.0.2.9;transport=udp', local: false };
    await connected();
    phone.send(recorded.register);
    const uri = expect.stringMatching(/^sip:[0-9a-f-]{36}@pbx\.example$/);
    expect(await phone.find(answerTo(2))).toMatchObject({ name: '_result', args: [{ level: 'status', uri }] });
    expect(registered).toMatchObject([{ address: uri, registrar: home.registrar, patient: true }]);
    tellRegistration({ type: 'failed', reason: '403 Forbidden' });
    const push = await phone.find((message) => message.type === 'command' && message.name === 'onStatus');
    expect(push).toMatchObject({ args: [{ code: 'Sono.Registration.Lost', reason: '403 Forbidden' }] });
  });

  it('has a Contact of its own for each registration, and calls to any of them ring', async () => {
    await connected();
    phone.send(command('register', 7, 'bob', 'example.com'));
    phone.send(command('register', 8, 'bob', 'example.com'));
    while (registered.length < 2) await new Promise(setImmediate);
    const [first, second] = registered.map(({ contactUser }) => contactUser);
    expect(first).not.toBe(second);
    const [line] = first?.split('.') ?? [];
    expect(second?.startsWith(`${line}.`)).toBe(true);
  });

  describe('register with arguments', () => {
    const registering = async () => {
      await connected();
      phone.send(command('register', 7, 'bob', 'example.com', 'secret'));
      while (registered.length === 0) await new Promise(setImmediate);
    };

    it('is answered after the registrar has agreed; calls are then made as that address', async () => {
      await registering();
      expect(registered[0]).toMatchObject({
        address: 'sip:bob@example.com',
        credentials: { user: 'bob', password: 'secret' },
      });
      expect(phone.received.filter(answerTo(7))).toEqual([]);
      tellRegistration({ type: 'registered' });
      expect(await phone.find(answerTo(7))).toMatchObject({
        name: '_result',
        args: [{ level: 'status', uri: 'sip:bob@example.com' }],
      });
      phone.send(recorded.dial);
      while (invited.length === 0) await new Promise(setImmediate);
      expect(invited[0]).toMatchObject({ from: 'sip:bob@example.com' });
    });

    it('is refused with the reason of the registrar', async () => {
      await registering();
      tellRegistration({ type: 'failed', reason: '403 Forbidden' });
      expect(await phone.find(answerTo(7))).toMatchObject({
        name: '_error',
        args: [{ level: 'error', code: 'Sono.Registration.Failed', description: '403 Forbidden' }],
      });
    });

    it('is refused at once when it makes no sense', async () => {
      await connected();
      phone.send(command('register', 7, 'bob'));
      expect(await phone.find(answerTo(7))).toMatchObject({
        name: '_error',
        args: [{ code: 'Sono.Registration.Failed' }],
      });
    });

    it('replaces the registration before, and is taken back by unregister() and when the client goes', async () => {
      await registering();
      phone.send(command('register', 8, 'alice', 'example.com'));
      expect(await phone.find(answerTo(7))).toMatchObject({ name: '_error' });
      tellRegistration({ type: 'registered' });
      expect(await phone.find(answerTo(8))).toMatchObject({ args: [{ uri: 'sip:alice@example.com' }] });
      phone.send(command('unregister', 9));
      expect(await phone.find(answerTo(9))).toMatchObject({ name: '_result' });
      expect(signalled).toEqual(['un-REGISTER', 'un-REGISTER']);
    });

    it('tells when it is lost', async () => {
      await registering();
      tellRegistration({ type: 'registered' });
      tellRegistration({ type: 'lost', reason: '403 Forbidden' });
      const push = await phone.find((message) => message.type === 'command' && message.name === 'onStatus');
      expect(push).toMatchObject({
        streamId: 0,
        args: [{ level: 'status', code: 'Sono.Registration.Lost', reason: '403 Forbidden' }],
      });
    });
  });

  describe('within a call', () => {
    /** A push other than a status, as every client that knows the original reads one. */
    const push = (code: string, fields: Record<string, AmfValue>) => ({
      type: 'command',
      chunkStreamId: 3,
      streamId: 0,
      name: 'onStatus',
      transactionId: 0,
      commandObject: null,
      args: [{ level: 'status', code, ...fields }],
    });
    const pushed = (code: string) =>
      phone.find((message) => message.type === 'command' && JSON.stringify(message.args).includes(`"code":"${code}"`));
    const far = { address: '192.0.2.2', media: [{ ...audio }] };

    const inCall = async () => {
      await calling();
      signal({ type: 'answered', answer: far });
      await untilStatus(2);
    };

    /** Until the gateway has read what was sent before. */
    const settled = async (transaction: number) => {
      phone.send(command('getStreamLength', transaction, 'x'));
      await phone.find(answerTo(transaction));
    };

    it('sendDTMF has no reply; the keys go out in RTP, or by INFO where the far end takes them so', async () => {
      await inCall();
      phone.send(command('sendDTMF', 7, '1*a'));
      phone.send(command('sendDTMF', 8, 5, 250));
      await settled(9);
      expect(signalled).toEqual(['RTP 1*A 160', 'RTP 5 250']);
      rtpEvents = false;
      phone.send(command('sendDTMF', 10, '#'));
      await settled(11);
      expect(signalled.at(-1)).toBe('INFO # 160');
      expect(phone.received.filter((message) => [7, 8, 10].some((id) => answerTo(id)(message)))).toEqual([]);
    });

    it('Sono.Call.DTMF {digit, duration}', async () => {
      await inCall();
      signal({ type: 'tone', tone: { digit: '#', duration: 240 } });
      expect(await pushed('Sono.Call.DTMF')).toMatchObject(push('Sono.Call.DTMF', { digit: '#', duration: 240 }));
    });

    it('hold(true) and hold(false): Sono.Call.Hold {held} when the far end has agreed', async () => {
      await inCall();
      phone.send(command('hold', 7, true));
      await settled(8);
      expect(signalled).toEqual(['re-INVITE sendonly']);
      signal({ type: 'changed', answer: far });
      expect(await pushed('Sono.Call.Hold')).toMatchObject(
        push('Sono.Call.Hold', { held: true, local: true, remote: false }),
      );
      const from = phone.received.length;
      phone.send(command('hold', 9, false));
      await settled(10);
      signal({ type: 'unchanged', reason: '500 Server Internal Error' });
      const fields = { held: true, local: true, remote: false, reason: '500 Server Internal Error' };
      const isHold = (message: Received) => JSON.stringify(message).includes('Sono.Call.Hold');
      expect(await phone.find(isHold, from)).toMatchObject(push('Sono.Call.Hold', fields));
    });

    it('Sono.Call.Hold when the far end holds', async () => {
      await inCall();
      signal({ type: 'offered', offer: { ...far, address: '0.0.0.0' } });
      expect(await pushed('Sono.Call.Hold')).toMatchObject(
        push('Sono.Call.Hold', { held: true, local: false, remote: true }),
      );
    });

    it('transfer(uri): REFER, and Sono.Call.Transferred {uri}, then 0', async () => {
      await inCall();
      phone.send(command('transfer', 7, 'sip:carol@example.com'));
      await settled(8);
      expect(signalled).toEqual(['REFER sip:carol@example.com']);
      signal({ type: 'transferred' });
      expect(await pushed('Sono.Call.Transferred')).toMatchObject(
        push('Sono.Call.Transferred', { uri: 'sip:carol@example.com' }),
      );
      await untilStatus(0);
      expect(signalled.at(-1)).toBe('BYE');
    });

    it('a transfer that fails: Sono.Call.TransferFailed {reason}, and the call goes on', async () => {
      await inCall();
      phone.send(command('transfer', 7, 'sip:carol@example.com'));
      await settled(8);
      signal({ type: 'transfer-failed', reason: '486 Busy Here' });
      expect(await pushed('Sono.Call.TransferFailed')).toMatchObject(
        push('Sono.Call.TransferFailed', { reason: '486 Busy Here' }),
      );
      expect(statuses()).toEqual([1, 4, 2]);
    });

    it('Sono.Message {from, text}', async () => {
      await inCall();
      signal({ type: 'message', message: { from: 'sip:bob@example.com', text: 'Grüße ☎' } });
      expect(await pushed('Sono.Message')).toMatchObject(
        push('Sono.Message', { from: 'sip:bob@example.com', text: 'Grüße ☎' }),
      );
    });

    it.each([
      ['sendDTMF', ['1x'], 'Sono.Call.Failed'],
      ['sendDTMF', ['1', 0], 'Sono.Call.Failed'],
      ['hold', ['true'], 'Sono.Call.Failed'],
      ['transfer', ['no address'], 'Sono.Call.Failed'],
      ['transfer', [null], 'Sono.Call.Failed'],
      ['sendMessage', ['sip:bob@example.com', 1], 'Sono.Message.Failed'],
      ['sendMessage', ['no address', 'x'], 'Sono.Message.Failed'],
    ] as const)('%s(%j) is an error, and nothing is sent', async (name, args, code) => {
      await inCall();
      phone.send(command(name, 7, ...args));
      expect(await phone.find(answerTo(7))).toMatchObject({
        name: '_error',
        args: [{ level: 'error', code, description: expect.stringMatching(/./) }],
      });
      expect([signalled, sent]).toEqual([[], []]);
    });

    it.each([
      ['sendDTMF', '1'],
      ['hold', true],
      ['transfer', 'sip:bob@example.com'],
    ])('%s outside a call is an error', async (name, argument) => {
      await connected();
      phone.send(command(name, 7, argument));
      expect(await phone.find(answerTo(7))).toMatchObject({ name: '_error', args: [{ code: 'Sono.Call.Failed' }] });
    });
  });

  describe('texts', () => {
    it('sendMessage(uri, text) is answered when the far end has it, also outside calls', async () => {
      await connected();
      phone.send(command('sendMessage', 7, 'sip:bob@example.com', 'Grüße ☎'));
      expect(await phone.find(answerTo(7))).toMatchObject({ name: '_result', args: [{ level: 'status' }] });
      expect(sent).toMatchObject([{ uri: 'sip:bob@example.com', text: 'Grüße ☎' }]);
    });

    it('is an error with the reason when the far end refuses', async () => {
      await connected();
      refuseText = '404 Not Found';
      phone.send(command('sendMessage', 7, 'sip:bob@example.com', 'x'));
      expect(await phone.find(answerTo(7))).toMatchObject({
        name: '_error',
        args: [{ code: 'Sono.Message.Failed', description: '404 Not Found' }],
      });
    });
  });
});
