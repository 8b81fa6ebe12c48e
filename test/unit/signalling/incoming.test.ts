import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IncomingInvite, SignallingEvent } from '../../../plugin/call/ports.js';
import { DrachtioConnection } from '../../../plugin/signalling/drachtio/drachtio.js';
import { DrachtioSignalling } from '../../../plugin/signalling/signalling.js';
import { ControlServer, type SipFrame } from './support/control-server.js';
import { farSdp, offer } from './support/far-end.js';

let server: ControlServer;
let connection: DrachtioConnection;
let invite: IncomingInvite;
let events: SignallingEvent[];

const headers = [
  'Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1',
  'From: <sip:far@127.0.0.1:5070>;tag=theirs',
  'To: <sip:line@127.0.0.1:5060>',
  'Call-ID: c1',
  'CSeq: 1 INVITE',
  'Contact: <sip:far@127.0.0.1:5070>',
  'Content-Type: application/sdp',
  `Content-Length: ${farSdp().length}`,
];

beforeEach(async () => {
  events = [];
  server = await ControlServer.start();
  connection = new DrachtioConnection(server.address);
  const signalling = new DrachtioSignalling(connection, { fromName: 'test' });
  const invited = new Promise<IncomingInvite>((resolve) => signalling.onInvite(resolve));
  await connection.connect();
  const request = ['INVITE sip:line@127.0.0.1:5060 SIP/2.0', ...headers, '', farSdp()].join('\r\n');
  server.write(server.received('t1', '', request));
  invite = await invited;
  invite.listen((event) => void events.push(event));
});

afterEach(() => {
  connection.close();
  server.close();
});

/** The server has sent it. */
const confirmation = (frame: SipFrame): string =>
  server.sent(frame, 't1|c1;from-tag=theirs', frame.text.replace(/^(to: *<[^>]*>)/im, '$1;tag=ours'));

it('ringing makes a dialog, which the refusal takes away', async () => {
  invite.ring();
  server.write(confirmation(await server.find(/^SIP\/2\.0 180/)));
  await expect.poll(() => connection.dialogs.size).toBe(1);
  invite.reject(486);
  expect(connection.dialogs.size).toBe(0);
});

it('no dialog is left when it is refused before the server has confirmed that it rings', async () => {
  invite.ring();
  invite.reject(480);
  const ringing = await server.find(/^SIP\/2\.0 180/);
  const refusal = await server.find(/^SIP\/2\.0 480/);
  server.write(confirmation(ringing), confirmation(refusal));
  // Answered behind them.
  server.write(
    server.received(
      't2',
      '',
      `OPTIONS sip:x@127.0.0.1 SIP/2.0\r\n${headers.slice(0, 4).join('\r\n')}\r\nCSeq: 2 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
    ),
  );
  await server.find(/^SIP\/2\.0 200/);
  expect(connection.dialogs.size).toBe(0);
});

it('an answer that the server cannot send any more, because a CANCEL has crossed it, is a cancelled call', async () => {
  invite.answer(offer);
  const answer = await server.find(/^SIP\/2\.0 200/);
  server.write(`x|response|${answer.id}|NOK|Response not sent due to unknown transaction`);
  await expect.poll(() => events).toHaveLength(1);
  expect(events).toMatchObject([{ type: 'failed', termination: { result: 'cancelled' } }]);
  expect(connection.dialogs.size).toBe(0);
});
