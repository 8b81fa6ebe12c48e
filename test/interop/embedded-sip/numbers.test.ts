import { createSocket, type Socket } from 'node:dgram';
import { once as onceEvent } from 'node:events';
import { EmbeddedSip, type EmbeddedSipOptions, type SipLogEvent } from 'embedded-sip';
import { parse } from 'sdp-transform';
import { describe, expect } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from '../../unit/sip/support/fake-clock.js';
import { type App, answerTo, type Dialog, once, type Request, sdp, srfApp } from './support/srf-app.js';

async function start(scope: Scope, options: Partial<EmbeddedSipOptions> = {}) {
  const server = await EmbeddedSip.start({ host: '127.0.0.1', port: 0, ...options });
  scope.defer(() => server.close());
  const app = await srfApp(scope, server);
  const number = (user: string) => `sip:${user}@localhost:${server.sip.port}`;
  return { server, app, echo: number('echo'), music: number('music'), busy: number('busy') };
}

/** A phone's RTP socket. */
class Phone {
  readonly port: number;
  readonly heard = new EventLog<Buffer>('phone', (packet) => packet.toString('hex'));
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (packet) => this.heard.push(packet));
  }

  static async open(scope: Scope): Promise<Phone> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await onceEvent(socket, 'listening');
    scope.defer(() => socket.close());
    return new Phone(socket);
  }

  /** One packet of 20 ms at 16 kHz. */
  send(to: number, sequence: number, payload: string, payloadType = 97): void {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = payloadType;
    header.writeUInt16BE(sequence, 2);
    header.writeUInt32BE(sequence * 320, 4);
    header.writeUInt32BE(0x11223344, 8);
    this.#socket.send(Buffer.concat([header, Buffer.from(payload)]), to, '127.0.0.1');
  }

  packet(payload: string): Promise<Buffer> {
    return this.heard.find(payload, (packet) => packet.subarray(12).toString() === payload);
  }
}

const portOf = (text: string, index = 0): number => parse(text).media[index]?.port ?? 0;

async function refused(app: App, uri: string, body?: string): Promise<number> {
  const outcome: { status: number } = await app
    .createUAC(uri, body === undefined ? {} : { localSdp: body })
    .catch((error) => error);
  return outcome.status;
}

describe('echo', () => {
  test.for(['udp', 'tcp'])('plays back what it gets, over %s', async (transport, { scope }) => {
    const { app, echo } = await start(scope);
    const phone = await Phone.open(scope);
    const progress: number[] = [];
    const call = await app.createUAC(
      `${echo};transport=${transport}`,
      { localSdp: sdp(phone.port) },
      { cbProvisional: ({ status }) => progress.push(status) },
    );
    expect(progress).toEqual([]);
    const port = portOf(call.remote.sdp);
    expect(port % 2).toBe(0);
    expect(call.remote.sdp).toContain('a=rtpmap:97 speex/16000\r\n');
    for (const n of [100, 101, 102]) phone.send(port, n, `frame ${n}`);
    const back = await Promise.all([100, 101, 102].map((n) => phone.packet(`frame ${n}`)));
    const [first, second, third] = back;
    if (!first || !second || !third) throw new Error('not echoed');
    expect(back.map((packet) => packet[1])).toEqual([97, 97, 97]);
    expect((third.readUInt16BE(2) - first.readUInt16BE(2)) & 0xffff).toBe(2);
    expect((second.readUInt32BE(4) - first.readUInt32BE(4)) >>> 0).toBe(320);
    expect(first.readUInt32BE(8)).not.toBe(0x11223344);
    await call.destroy();
  });

  test('keeps the payload types of the offer, and takes video along', async ({ scope }) => {
    const { app, echo } = await start(scope);
    const phone = await Phone.open(scope);
    const offer = `${sdp(phone.port).replace('97\r\n', '97 0 101\r\n')}a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\nm=video ${phone.port} RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\nm=application 9 UDP/BFCP *\r\n`;
    const call = await app.createUAC(echo, { localSdp: offer });
    const answer = parse(call.remote.sdp);
    expect(answer.media.map(({ type, payloads }) => `${type} ${payloads}`)).toEqual([
      'audio 97 0 101',
      'video 99',
      'application *',
    ]);
    expect(answer.media.map(({ port }) => port > 0)).toEqual([true, true, false]);
    phone.send(portOf(call.remote.sdp, 1), 1, 'picture', 99);
    phone.send(portOf(call.remote.sdp), 1, 'digit', 101);
    expect((await phone.packet('picture'))[1]).toBe(99);
    expect((await phone.packet('digit'))[1]).toBe(101);
    await call.destroy();
  });

  test.for([
    ['0', 'PCMU/8000'],
    ['3', 'GSM/8000'],
    ['8', 'PCMA/8000'],
    ['9', 'G722/8000'],
    ['18', 'G729/8000'],
    ['96', 'opus/48000/2'],
    ['97', 'speex/8000'],
    ['98', 'speex/32000'],
    ['99', 'iLBC/8000'],
    ['100', 'AMR-WB/16000'],
    ['101', 'telephone-event/16000'],
    ['127', 'nobody-knows/44100/6'],
  ] as const)('payload type %s, %s', async ([payloadType, codec], { scope }) => {
    const { app, echo } = await start(scope);
    const phone = await Phone.open(scope);
    const offer = sdp(phone.port)
      .replace('RTP/AVP 97', `RTP/AVPF ${payloadType}`)
      .replace('97 speex/16000', `${payloadType} ${codec}\r\na=fmtp:${payloadType} x=1;y=2`);
    const call = await app.createUAC(echo, { localSdp: offer });
    expect(call.remote.sdp).toContain(` RTP/AVPF ${payloadType}\r\n`);
    expect(call.remote.sdp).toContain(`a=rtpmap:${payloadType} ${codec}\r\na=fmtp:${payloadType} x=1;y=2\r\n`);
    phone.send(portOf(call.remote.sdp), 1, 'any bytes', Number(payloadType));
    expect((await phone.packet('any bytes'))[1]).toBe(Number(payloadType));
    await call.destroy();
  });

  test('of a plain and an encrypted line takes the plain one', async ({ scope }) => {
    const { app, echo } = await start(scope);
    const both = `${sdp(4000).replace('RTP/AVP', 'RTP/SAVP')}m=audio 4002 RTP/AVP 0\r\n`;
    const call = await app.createUAC(echo, { localSdp: both });
    expect(parse(call.remote.sdp).media.map(({ port, protocol }) => `${protocol} ${port > 0}`)).toEqual([
      'RTP/SAVP false',
      'RTP/AVP true',
    ]);
    await call.destroy();
  });

  test('offers when it is not offered, and echoes to where the ACK says', async ({ scope }) => {
    const { app, echo } = await start(scope);
    const phone = await Phone.open(scope);
    const held = (await app.createUAC(echo, { noAck: true })) as unknown as {
      sdp: string;
      ack: (sdp: string) => Promise<Dialog>;
    };
    expect(parse(held.sdp).media[0]?.rtp.map(({ codec, rate }) => `${codec}/${rate}`)).toEqual([
      'PCMU/8000',
      'speex/16000',
    ]);
    const call = await held.ack(sdp(phone.port));
    // The ACK is on its way; what is answered after it says that it is there.
    await call.request({ method: 'OPTIONS' });
    const other = await Phone.open(scope);
    other.send(portOf(held.sdp), 1, 'to the phone');
    await phone.packet('to the phone');
    await call.destroy();
  });

  test('follows a re-INVITE: hold, another port, no offer; answers INFO and OPTIONS', async ({ scope }) => {
    const { app, echo } = await start(scope);
    const [phone, second] = [await Phone.open(scope), await Phone.open(scope)];
    const call = await app.createUAC(echo, { localSdp: sdp(phone.port) });
    const port = portOf(call.remote.sdp);
    const held = await call.modify(sdp(phone.port).replace('sendrecv', 'sendonly'));
    expect(held).toContain('a=recvonly');
    phone.send(port, 1, 'while held');
    const moved = await call.modify(sdp(second.port));
    expect(portOf(moved)).toBe(port);
    phone.send(port, 2, 'moved');
    await second.packet('moved');
    expect(phone.heard.all).toEqual([]);
    expect((await call.request({ method: 'INFO', headers: { 'Content-Type': 'text/plain' }, body: 'x' })).status).toBe(
      200,
    );
    expect((await call.request({ method: 'OPTIONS' })).status).toBe(200);
    expect((await call.request({ method: 'UPDATE' })).status).toBe(200);
    await call.destroy();
  });

  test.for([
    ['no description', 'v=0\r\nnonsense'],
    ['no audio', sdp().replace('m=audio', 'm=image')],
    ['audio refused', sdp(0)],
    ['encrypted audio', sdp().replace('RTP/AVP', 'RTP/SAVP')],
    ['audio of a browser', sdp().replace('RTP/AVP', 'UDP/TLS/RTP/SAVPF')],
  ] as const)('%s: 488', async ([, body], { scope }) => {
    const { app, echo } = await start(scope);
    expect(await refused(app, echo, body)).toBe(488);
  });

  test('cannot do what it is required to do: 420; reads nothing but SDP: 415', async ({ scope }) => {
    const { app, echo } = await start(scope);
    const invite = (headers: object) =>
      app.createUAC(echo, { localSdp: sdp(), headers }).then(
        () => 200,
        (error: { status: number; res: { get(name: string): string } }) =>
          `${error.status} ${error.res.get('Unsupported') || error.res.get('Accept')}`,
      );
    expect(await invite({ Require: 'timer, 100rel, foo, bar' })).toBe('420 foo, bar');
    expect(await invite({ 'Content-Type': 'text/plain' })).toBe('415 application/sdp');
    expect(await invite({ Require: 'timer', 'Content-Type': 'Application/SDP; charset=utf-8' })).toBe(200);
  });

  test('ends a call by itself when nothing comes, but not one on hold', async ({ scope }) => {
    const clock = new FakeClock();
    const log = new EventLog<SipLogEvent>('log');
    const { app, echo } = await start(scope, { clock, logger: (event) => log.push(event) });
    const silent = await app.createUAC(echo, { localSdp: sdp() });
    const held = await app.createUAC(echo, { localSdp: sdp().replace('sendrecv', 'inactive') });
    const ended = once(silent, 'destroy', (bye: Request) => bye.get('Reason'));
    const heldEnded = once(held, 'destroy', (bye: Request) => bye.get('Reason'));
    // Lets the ACKs arrive, so that no timer of the INVITEs runs.
    await Promise.all([silent, held].map((call) => call.request({ method: 'OPTIONS' })));
    clock.advance(60_000);
    expect(await ended).toContain('no media');
    expect((await held.request({ method: 'OPTIONS' })).status).toBe(200);
    clock.advance(3_600_000);
    expect(await heldEnded).toContain('longest call');
    expect(log.all.filter(({ event }) => event === 'number-ended')).toHaveLength(2);
  });

  test('takes no more calls than it may: 486, and room again after a BYE', async ({ scope }) => {
    const { app, echo } = await start(scope, { limits: { echoCalls: 1 } });
    const first = await app.createUAC(echo, { localSdp: sdp() });
    expect(await refused(app, echo, sdp())).toBe(486);
    await first.destroy();
    const second = await app.createUAC(echo, { localSdp: sdp() });
    await second.destroy();
  });

  test('answers OPTIONS, and 405 to what it cannot do', async ({ scope }) => {
    const { app, echo } = await start(scope);
    expect((await answerTo(app, echo, { method: 'OPTIONS' })).status).toBe(200);
    expect(
      (await answerTo(app, echo, { method: 'MESSAGE', headers: { 'Content-Type': 'text/plain' }, body: 'x' })).status,
    ).toBe(405);
  });

  test("is not echo at somebody else's address", async ({ scope }) => {
    const { app, server } = await start(scope);
    const seen = once(app, 'invite-seen', (request: Request) => request.uri);
    app.use('invite', (request, response) => {
      response.send(404);
      app.emit('invite-seen', request);
    });
    const uri = `sip:echo@example.invalid`;
    const outcome = app.createUAC(uri, { localSdp: sdp(), proxy: `sip:127.0.0.1:${server.sip.port}` });
    await expect(outcome).rejects.toMatchObject({ status: 404 });
    expect(await seen).toBe(uri);
  });
});

describe('music', () => {
  /** An encoder that tells which frame it was given: its rate in kHz and a count. */
  const countingEncoder = () => {
    const made: number[] = [];
    const speexEncoder = (sampleRate: number) => {
      made.push(sampleRate);
      let count = 0;
      return { encode: (samples: Int16Array) => Buffer.from(`${samples.length} samples, frame ${count++}`) };
    };
    return { made, speexEncoder };
  };

  /** Lets the server see what was sent before, the ACK among it. */
  const settled = (call: Dialog) => call.request({ method: 'OPTIONS' });

  const framesOf = (phone: Phone) => phone.heard.all.map((packet) => packet.subarray(12).toString());
  const G711 = 'm=audio PORT RTP/AVP 8 0\r\n';

  test.for(['udp', 'tcp'])(
    'plays from the beginning as soon as the ACK is there, over %s',
    async (transport, { scope }) => {
      const clock = new FakeClock();
      const { app, music } = await start(scope, { clock, ...countingEncoder() });
      const phone = await Phone.open(scope);
      const call = await app.createUAC(`${music};transport=${transport}`, { localSdp: sdp(phone.port) });
      expect(call.remote.sdp).toContain('RTP/AVP 97\r\na=rtpmap:97 speex/16000\r\na=ptime:20\r\na=sendrecv\r\n');
      await settled(call);
      clock.advance(1_000);
      await phone.packet('320 samples, frame 49');
      expect(framesOf(phone)).toEqual(Array.from({ length: 50 }, (_, n) => `320 samples, frame ${n}`));
      const [first, second] = phone.heard.all;
      if (!first || !second) throw new Error('nothing heard');
      expect([first[1], second[1]]).toEqual([0x80 | 97, 97]);
      expect((second.readUInt32BE(4) - first.readUInt32BE(4)) >>> 0).toBe(320);
      expect((second.readUInt16BE(2) - first.readUInt16BE(2)) & 0xffff).toBe(1);
      await call.destroy();
      clock.advance(1_000);
      expect(phone.heard.all).toHaveLength(50);
    },
  );

  test('encodes the tune once for all calls, and runs one timer for them', async ({ scope }) => {
    const clock = new FakeClock();
    const { made, speexEncoder } = countingEncoder();
    const { app, music } = await start(scope, { clock, speexEncoder });
    const phones = await Promise.all([1, 2, 3].map(() => Phone.open(scope)));
    const calls: Dialog[] = [];
    for (const phone of phones) calls.push(await app.createUAC(music, { localSdp: sdp(phone.port) }));
    await Promise.all(calls.map(settled));
    // In steps, so that no socket's buffer has to hold the whole tune.
    for (let frames = 35; frames <= 805; frames += 35) {
      clock.advance(700);
      await Promise.all(phones.map(({ heard }) => heard.find(`frame ${frames}`, () => heard.all.length === frames)));
    }
    for (const phone of phones) {
      expect(
        framesOf(phone)
          .slice(798, 802)
          .map((text) => text.replace(/.*frame /, '')),
      ).toEqual(['798', '799', '0', '1']);
    }
    expect(made).toEqual([16_000]);
    for (const call of calls) await call.destroy();
  });

  test.for([
    ['PCMA first', G711, 8],
    ['PCMU first', G711.replace('8 0', '0 8'), 0],
    ['Speex that there is no encoder for', G711.replace('8 0', '97 8'), 8],
  ] as const)('sends G.711 where that is wanted: %s', async ([, line, payloadType], { scope }) => {
    const clock = new FakeClock();
    const { app, music } = await start(scope, { clock });
    const phone = await Phone.open(scope);
    const offer = sdp(phone.port).replace(/m=audio.*\r\n/, line.replace('PORT', String(phone.port)));
    const call = await app.createUAC(music, { localSdp: offer });
    expect(parse(call.remote.sdp).media[0]?.payloads).toBe(payloadType);
    await settled(call);
    clock.advance(400);
    await phone.heard.find('a sound', () => phone.heard.all.length === 20);
    expect(phone.heard.all.map((packet) => packet.length)).toEqual(Array(20).fill(172));
    const octets = new Set(Buffer.concat(phone.heard.all.map((packet) => packet.subarray(12))));
    expect(octets.size).toBeGreaterThan(50);
    await call.destroy();
  });

  test('pauses on hold and goes on where it was; another codec starts again', async ({ scope }) => {
    const clock = new FakeClock();
    const { app, music } = await start(scope, { clock, ...countingEncoder() });
    const phone = await Phone.open(scope);
    const call = await app.createUAC(music, { localSdp: sdp(phone.port) });
    await settled(call);
    clock.advance(60);
    await phone.packet('320 samples, frame 2');
    expect(await call.modify(sdp(phone.port).replace('sendrecv', 'sendonly'))).toContain('a=recvonly');
    await settled(call);
    clock.advance(1_000);
    await call.modify(sdp(phone.port));
    await settled(call);
    clock.advance(20);
    await phone.packet('320 samples, frame 3');
    await call.modify(sdp(phone.port).replace('speex/16000', 'speex/8000'));
    await settled(call);
    clock.advance(20);
    await phone.packet('160 samples, frame 0');
    expect(framesOf(phone)).toHaveLength(5);
    await call.destroy();
  });

  test('offers what it has when it is not offered anything', async ({ scope }) => {
    const clock = new FakeClock();
    const { app, music } = await start(scope, { clock, ...countingEncoder() });
    const phone = await Phone.open(scope);
    const held = (await app.createUAC(music, { noAck: true })) as unknown as {
      sdp: string;
      ack: (sdp: string) => Promise<Dialog>;
    };
    expect(parse(held.sdp).media[0]?.rtp.map(({ payload, codec, rate }) => `${payload} ${codec}/${rate}`)).toEqual([
      '97 speex/16000',
      '98 speex/8000',
      '0 PCMU/8000',
      '8 PCMA/8000',
    ]);
    const call = await held.ack(sdp(phone.port));
    await settled(call);
    clock.advance(20);
    await phone.packet('320 samples, frame 0');
    await call.destroy();
  });

  test.for([
    ['a codec that it has not', sdp().replace('97 speex/16000', '97 opus/48000/2')],
    ['encrypted audio', sdp().replace('RTP/AVP', 'RTP/SAVP')],
    ['video alone', sdp().replace('m=audio', 'm=video')],
  ] as const)('%s: 488', async ([, body], { scope }) => {
    const { app, music } = await start(scope, countingEncoder());
    expect(await refused(app, music, body)).toBe(488);
  });

  test('takes the audio of a video call', async ({ scope }) => {
    const { app, music } = await start(scope, countingEncoder());
    const call = await app.createUAC(music, {
      localSdp: `${sdp()}m=video 4002 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n`,
    });
    expect(parse(call.remote.sdp).media.map(({ type, port }) => `${type} ${port > 0}`)).toEqual([
      'audio true',
      'video false',
    ]);
    await call.destroy();
  });

  test('listens to silence, ends a call that is too long, and takes no more calls than it may', async ({ scope }) => {
    const clock = new FakeClock();
    const { app, music } = await start(scope, { clock, limits: { musicCalls: 1, musicCallMs: 300_000 } });
    const pcmu = sdp().replace('97', '0');
    const call = await app.createUAC(music, { localSdp: pcmu });
    expect(await refused(app, music, pcmu)).toBe(486);
    const ended = once(call, 'destroy', (bye: Request) => bye.get('Reason'));
    await settled(call);
    clock.advance(299_000);
    await settled(call);
    clock.advance(1_000);
    expect(await ended).toContain('longest call');
  });
});

describe('busy', () => {
  test('is busy, over both transports, and alive', async ({ scope }) => {
    const { app, busy } = await start(scope);
    expect(await refused(app, busy, sdp())).toBe(486);
    expect(await refused(app, `${busy};transport=tcp`, sdp())).toBe(486);
    expect((await answerTo(app, busy, { method: 'OPTIONS' })).status).toBe(200);
  });

  test('and the others can be left out', async ({ scope }) => {
    const { app, busy, echo, music } = await start(scope, { numbers: false });
    expect(await refused(app, busy, sdp())).toBe(503);
    expect(await refused(app, echo, sdp())).toBe(503);
    expect(await refused(app, music, sdp())).toBe(503);
  });
});
