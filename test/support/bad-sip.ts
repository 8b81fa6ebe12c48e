import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { expect } from 'vitest';
import { callFrom } from '../interop/phone/support/callers.js';
import type { LibrtmpPhone } from './librtmp-phone.js';
import { loopback } from './ports.js';
import type { Scope } from './scope.js';
import { SipPeer } from './sip-peer/sip-peer.js';
import type { Sipp } from './sipp.js';
import { caller } from './sipp-scenarios.js';

interface Setting {
  readonly scope: Scope;
  readonly phone: LibrtmpPhone;
  /** Port of the SIP server. */
  readonly sipPort: number;
}

/** What bad SIP peers send, and what is to become of it. */
export interface BadSipScenario {
  readonly name: string;
  readonly run: (setting: Setting) => Promise<void>;
}

const answerMs = 5_000;

/** Sends a request from a socket of its own; resolves to the status of the answer. */
async function forge(sipPort: number, request: string): Promise<number> {
  const socket = createSocket('udp4');
  try {
    return await new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error(`no answer to ${request}`)), answerMs);
      socket.on('message', (datagram) => {
        clearTimeout(timeout);
        resolve(Number(datagram.toString('latin1').split(' ')[1]));
      });
      socket.bind(0, loopback, () => {
        const via = `Via: SIP/2.0/UDP ${loopback}:${socket.address().port};branch=z9hG4bK-forged-${socket.address().port}`;
        socket.send(request.replace(/^Via:.*$/m, via), sipPort, loopback);
      });
    });
  } finally {
    socket.close();
  }
}

/** A request in the dialog of a caller as somebody would write it who knows parts of it. */
async function forgery(sipp: Sipp, method: string, tags: { from?: string; to?: string } = {}): Promise<string> {
  const { text } = await sipp.sent(/^INVITE/);
  const header = (name: string) => new RegExp(`^${name}:.*$`, 'im').exec(text)?.[0].trim() ?? '';
  const lines = [
    text.split(/\r?\n/)[0]?.replace('INVITE', method),
    'Via: of another',
    tags.from === undefined ? header('From') : header('From').replace(/;tag=.*/, `;tag=${tags.from}`),
    tags.to === undefined ? header('To') : `${header('To')};tag=${tags.to}`,
    header('Call-ID'),
    `CSeq: ${method === 'CANCEL' ? 1 : 2} ${method}`,
    'Max-Forwards: 70',
    'Content-Length: 0',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

async function called({ phone, scope }: Setting): Promise<Sipp> {
  return await callFrom(scope, await phone.register(), caller.isHungUpOn());
}

/** A telephone that the phone has dialled, and that does what the scenario says. */
async function dialled({ scope, phone, sipPort }: Setting) {
  const peer = await SipPeer.start({ gateway: sipPort });
  scope.defer(async () => peer.close());
  const expected = peer.expect('peer');
  phone.dial(peer.uri('peer'));
  return await expected;
}

async function hangUp({ phone }: Setting): Promise<void> {
  phone.hangup();
  await phone.waitStatus(0);
}

/** INVITE over TCP; resolves to the status of the final response. */
async function inviteOverTcp({ scope, phone, sipPort }: Setting, sdp: string): Promise<number> {
  const uri = await phone.register();
  const socket = connect(sipPort, loopback);
  scope.defer(async () => void socket.destroy());
  const here = () => `${loopback}:${(socket.address() as { readonly port: number }).port}`;
  await new Promise<void>((resolve, reject) => socket.once('error', reject).once('connect', () => resolve()));
  const lines = [
    `INVITE ${uri} SIP/2.0`,
    `Via: SIP/2.0/TCP ${here()};branch=z9hG4bK-large`,
    `From: <sip:large@${here()}>;tag=large`,
    `To: <${uri}>`,
    `Call-ID: large-${here()}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:large@${here()};transport=tcp>`,
    'Max-Forwards: 70',
    'Content-Type: application/sdp',
    `Content-Length: ${sdp.length}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${sdp}`);
  return await new Promise((resolve) => {
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      const status = Number(/^SIP\/2\.0 ([2-6]\d\d)/m.exec(received)?.[1]);
      if (status >= 200) resolve(status);
    });
  });
}

const sdpOf = (octets: number): string => {
  const head = `v=0\r\no=- 1 1 IN IP4 ${loopback}\r\ns=-\r\nc=IN IP4 ${loopback}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n`;
  const line = `a=x-filler:${'x'.repeat(80)}\r\n`;
  return head + line.repeat(Math.ceil((octets - head.length) / line.length));
};

/**
 * Of embedded-sip alone: a drachtio server (0.9.10) looks at the Call-ID and not at the branch. It ends the INVITE, and its
 * client hears nothing of that before it answers.
 */
export const forgedCancel: BadSipScenario = {
  name: 'a CANCEL of a stranger: 481, and it rings on',
  run: async (setting) => {
    const sipp = await called(setting);
    await setting.phone.waitIncoming();
    expect(await forge(setting.sipPort, await forgery(sipp, 'CANCEL'))).toBe(481);
    setting.phone.accept();
    await setting.phone.waitStatus(2);
    await hangUp(setting);
    await sipp.done();
    expect(setting.phone.statuses).toEqual([4, 2, 3, 0]);
  },
};

export const badSip: readonly BadSipScenario[] = [
  {
    name: 'BYEs with wrong tags: 481, and the call goes on',
    run: async (setting) => {
      const sipp = await called(setting);
      await setting.phone.acceptAndConnect();
      const { text } = await sipp.received(/^SIP\/2\.0 200/);
      const to = /^To:.*;tag=(\S+)/im.exec(text)?.[1] ?? '';
      for (const tags of [{ from: 'stranger', to }, { to: 'stranger' }, { from: 'stranger', to: 'stranger' }]) {
        expect(await forge(setting.sipPort, await forgery(sipp, 'BYE', tags))).toBe(481);
      }
      await hangUp(setting);
      await sipp.done();
      expect(setting.phone.statuses).toEqual([4, 2, 3, 0]);
    },
  },
  {
    name: 'thousands of provisional responses: the phone is told of some, and is answered',
    run: async (setting) => {
      const call = await dialled(setting);
      call.ring();
      call.repeat(3_000);
      await setting.phone.waitStatus(1);
      call.answer();
      await setting.phone.waitStatus(2);
      await hangUp(setting);
      expect(setting.phone.statuses.filter((status) => status === 1).length).toBeLessThanOrEqual(101);
      expect(setting.phone.statuses.slice(-4)).toEqual([4, 2, 3, 0]);
    },
  },
  {
    name: 'an answer that comes a thousand times is one',
    run: async (setting) => {
      const call = await dialled(setting);
      call.answer();
      call.repeat(1_000);
      await setting.phone.waitStatus(2);
      await hangUp(setting);
      expect(setting.phone.statuses).toEqual([1, 4, 2, 3, 0]);
    },
  },
  {
    name: 'a refusal that comes a thousand times is one',
    run: async (setting) => {
      const call = await dialled(setting);
      call.refuse(486);
      call.repeat(1_000);
      await setting.phone.waitStatus(0);
      expect(setting.phone.statuses).toEqual([1, 0]);
    },
  },
  {
    name: 'an answer whose Contact is the server itself: the call ends all the same',
    run: async (setting) => {
      const call = await dialled(setting);
      call.answer(`Contact: <sip:peer@${loopback}:${setting.sipPort}>`);
      await setting.phone.waitStatus(2);
      await hangUp(setting);
      expect(setting.phone.statuses).toEqual([1, 4, 2, 3, 0]);
    },
  },
  {
    name: 'an answer that has recorded the server itself in its route: the call ends all the same',
    run: async (setting) => {
      const call = await dialled(setting);
      const here = `sip:${loopback}:${setting.sipPort};lr`;
      call.answer(`Record-Route: <${here}>, <${here}>`, `Contact: <sip:peer@${loopback}:${setting.sipPort}>`);
      await setting.phone.waitStatus(2);
      await hangUp(setting);
      expect(setting.phone.statuses).toEqual([1, 4, 2, 3, 0]);
    },
  },
  {
    name: 'an INVITE with an SDP of 64 kB: it rings, and is answered',
    run: async (setting) => {
      const status = inviteOverTcp(setting, sdpOf(65_536));
      await setting.phone.waitIncoming();
      setting.phone.accept();
      expect(await status).toBe(200);
      await setting.phone.waitStatus(2);
    },
  },
];
