import { describe, expect, it } from 'vitest';
import type { SipMessage } from '../../../plugin/embedded-sip/src/message/message.js';
import { Bench, PEER_PORT, parsed, peerRequest, peerResponse, sdp, tag } from './support/bench.js';

const URI = `sip:bob@127.0.0.1:${PEER_PORT}`;

function calling(bench = new Bench(), uri = URI, headers: [string, string][] = []) {
  const result = bench.request({ method: 'INVITE', uri, body: sdp() }, headers);
  if (!result.ok) throw new Error(result.reason);
  const invite = parsed(result.text);
  return { bench, invite, txn: result.transactionId, dialogId: `${invite.callId};from-tag=${tag(invite, 'from')}` };
}

function acceptedCall(bench?: Bench, options: Parameters<typeof peerResponse>[2] = {}) {
  const call = calling(bench);
  call.bench.sent();
  const ok = peerResponse(call.invite, 200, { body: sdp(), ...options });
  call.bench.receive(ok);
  return { ...call, ok };
}

function confirmedCall(bench?: Bench, options: Parameters<typeof peerResponse>[2] = {}) {
  const call = acceptedCall(bench, options);
  call.bench.user.take();
  expect(call.bench.request({ method: 'ACK', dialogId: call.dialogId })).toMatchObject({ ok: true });
  const ack = call.bench.one();
  return { ...call, ack };
}

describe('an outgoing request', () => {
  it('is filled in', () => {
    const { bench, invite } = calling();
    const [sent] = bench.sent();
    expect(sent?.target).toEqual({ protocol: 'udp', address: '127.0.0.1', port: PEER_PORT });
    expect(sent?.message.text).toBe(invite.text);
    expect(invite).toMatchObject({ kind: 'request', method: 'INVITE', uri: URI });
    // Port 5060 is left out of Via, as the drachtio server does it.
    expect(invite.headers.get('via')).toMatch(/^SIP\/2\.0\/UDP 127\.0\.0\.1;rport;branch=z9hG4bK\w+$/);
    expect(invite.headers.get('max-forwards')).toBe('70');
    expect(invite.headers.get('from')).toMatch(/^<sip:127\.0\.0\.1:5060>;tag=\w+$/);
    expect(invite.headers.get('to')).toBe(`<${URI}>`);
    expect(invite.headers.get('contact')).toBe('<sip:127.0.0.1:5060>');
    expect(invite.headers.get('content-type')).toBe('application/sdp');
    expect(invite.cseq.number).toBeGreaterThan(1_000_000);
  });

  it('URI parameters end up as header parameters of a To that is left out', () => {
    expect(calling(undefined, `${URI};transport=udp`).invite.headers.get('to')).toBe(`<${URI}>;transport=udp`);
  });

  it('keeps what the application gives', () => {
    const { invite } = calling(undefined, URI, [
      ['from', '"Al" <sip:al@example.com>;tag=mine'],
      ['to', '<sip:b@example.com>'],
      ['call-id', 'my-call'],
      ['cseq', '17 INVITE'],
      ['max-forwards', '5'],
      ['contact', '<sip:al@host.example>'],
      ['foo-bar', '1'],
      ['x-lower', '2'],
    ]);
    expect(invite.headers.get('from')).toBe('"Al" <sip:al@example.com>;tag=mine');
    expect(invite.headers.get('to')).toBe('<sip:b@example.com>');
    expect(invite).toMatchObject({ callId: 'my-call', cseq: { number: 17, method: 'INVITE' } });
    expect(invite.headers.get('max-forwards')).toBe('5');
    expect(invite.headers.get('contact')).toBe('<sip:al@host.example>');
    expect(invite.text).toContain('\r\nFoo-Bar: 1\r\n');
    expect(invite.text).toContain('\r\nx-lower: 2\r\n');
  });

  it.each(['Via', 'Route', 'Record-Route', 'RSeq'])('drops a %s of the application', (name) => {
    expect(calling(undefined, URI, [[name, '1 evil']]).invite.text).not.toContain('evil');
  });

  it.each([
    ['from', '<sip:srf@localhost>;x=y', /^<sip:srf@127\.0\.0\.1:5060>;x=y;tag=\w+$/],
    ['from', 'sip:1234@localhost', /^<sip:1234@127\.0\.0\.1:5060>;tag=\w+$/],
    ['to', '<sip:a@localhost>', /^<sip:a@127\.0\.0\.1:5060>$/],
    ['contact', '<sip:a@localhost>;q=1', /^<sip:a@127\.0\.0\.1:5060>;q=1$/],
    ['p-asserted-identity', '<sip:a@localhost>', /^<sip:a@127\.0\.0\.1:5060>$/],
    ['x-other', '<sip:a@localhost>', /^<sip:a@localhost>$/],
    ['to', '<sip:a@localhost.example>', /^<sip:a@localhost\.example>$/],
  ] as [string, string, RegExp][])('@localhost in %s: %s', (name, value, expected) => {
    expect(calling(undefined, URI, [[name, value]]).invite.headers.get(name)).toMatch(expected);
  });

  it.each([
    ['INVITE', '<sip:a@10.1.2.3:7000>;q=1', '<sip:a@127.0.0.1:5060;transport=udp>;q=1'],
    ['INVITE', '<sip:a@127.0.0.1:7000>', '<sip:a@127.0.0.1:5060;transport=udp>'],
    ['INVITE', '<sip:a@127.0.0.1>', '<sip:a@127.0.0.1>'],
    ['INVITE', '<sip:a@pbx.example:7000>', '<sip:a@pbx.example:7000>'],
    ['REGISTER', '<sip:a@10.1.2.3:7000>', '<sip:a@10.1.2.3:7000>'],
  ])('%s with Contact %s', (method, contact, expected) => {
    const result = new Bench().request({ method }, [['Contact', contact]]);
    expect(result.ok && parsed(result.text).headers.get('contact')).toBe(expected);
  });

  it('over TCP: by URI parameter, no rport, Contact with the transport', () => {
    const { bench, invite } = calling(undefined, `${URI};transport=tcp`);
    expect(bench.sent()[0]?.target).toMatchObject({ protocol: 'tcp' });
    expect(invite.headers.get('via')).toMatch(/^SIP\/2\.0\/TCP 127\.0\.0\.1;branch=/);
    expect(invite.headers.get('contact')).toBe('<sip:127.0.0.1:5060;transport=tcp>');
  });

  it('to another next hop: same Request-URI, no Route', () => {
    const bench = new Bench();
    bench.request({ method: 'OPTIONS', uri: 'sip:x@far.example', nextHop: 'sip:127.0.0.1:7777;transport=tcp' });
    const [sent] = bench.sent();
    expect(sent?.target).toEqual({ protocol: 'tcp', address: '127.0.0.1', port: 7777 });
    expect(sent?.message).toMatchObject({ uri: 'sip:x@far.example' });
    expect(sent?.message.headers.has('route')).toBe(false);
  });

  it.each([
    [{ method: 'INVITE', body: 'hello' }, 'missing content-type'],
    [{ method: 'INVITE', uri: 'nonsense' }, 'invalid request-uri: INVITE nonsense SIP/2.0'],
    [{ method: 'INVITE', uri: 'sip:a@b;transport=tls' }, 'requested protocol/transport not available'],
    [{ method: 'INFO', dialogId: 'none' }, 'Server error: unable to find dialog for dialog id provided'],
    [{ method: 'CANCEL', transactionId: 'none' }, 'unable to cancel unknown transaction id: none'],
  ])('%j is refused', (request, reason) => {
    const bench = new Bench();
    expect(bench.request(request)).toEqual({ ok: false, reason });
    expect(bench.wire()).toEqual([]);
  });

  it('to sips: reported as sent, then a made-up 416', () => {
    const bench = new Bench();
    const result = bench.request({ method: 'INVITE', uri: 'sips:a@127.0.0.1' });
    expect(result).toMatchObject({ ok: true, protocol: 'unknown', address: '', port: 0, bytes: 0 });
    expect(bench.wire()).toEqual([]);
    expect(bench.user.take()).toMatchObject([{ address: '', port: 0, message: { status: 416 } }]);
  });

  it('names the advertised address to peers that are not on loopback', () => {
    const bench = new Bench({}, '203.0.113.9');
    const far = bench.request({ method: 'INVITE', uri: 'sip:a@198.51.100.1', body: sdp() });
    expect(far.ok && parsed(far.text).headers.get('contact')).toBe('<sip:203.0.113.9:5060>');
    const near = bench.request({ method: 'INVITE', uri: URI, body: sdp() });
    expect(near.ok && parsed(near.text).headers.get('contact')).toBe('<sip:127.0.0.1:5060>');
  });

  it.each([
    ['INVITE', '408'],
    ['OPTIONS', '408'],
  ])('%s without an answer: repeated, a made-up 408 at 32 s', (method, status) => {
    const bench = new Bench();
    const result = bench.request({ method });
    bench.clock.advance(31_999);
    expect(bench.wire().length).toBe(method === 'INVITE' ? 7 : 11);
    expect(bench.user.take()).toEqual([]);
    bench.clock.advance(1);
    const [event] = bench.user.take();
    expect(event).toMatchObject({ source: 'network', protocol: 'udp', address: '', port: 0 });
    expect(String(event?.message.kind === 'response' && event.message.status)).toBe(status);
    expect(event?.transactionId).toBe(result.ok && result.transactionId);
  });

  it('to where nobody listens: a made-up 503', () => {
    const { bench } = calling();
    bench.core.onUnreachable({ protocol: 'udp', address: '127.0.0.1', port: PEER_PORT });
    expect(bench.user.take()).toMatchObject([{ address: '', message: { status: 503 } }]);
    bench.clock.advance(60_000);
    expect(bench.user.take()).toEqual([]);
  });

  it('a host elsewhere that is unreachable does not concern it', () => {
    const { bench } = calling();
    bench.core.onUnreachable({ protocol: 'udp', address: '127.0.0.1', port: PEER_PORT + 1 });
    bench.core.onUnreachable({ protocol: 'tcp', address: '127.0.0.1', port: PEER_PORT });
    expect(bench.user.take()).toEqual([]);
  });

  it('what answers nothing of ours is dropped', () => {
    const { bench, invite } = calling();
    bench.receive(peerResponse(invite, 200).replace(/branch=\w+/, 'branch=z9hG4bKother'));
    expect(bench.user.take()).toEqual([]);
  });
});

describe('responses to an INVITE', () => {
  it('100 is kept, every other is shown with TXN and dialog', () => {
    const { bench, invite, txn, dialogId } = calling();
    bench.receive(peerResponse(invite, 100));
    bench.receive(peerResponse(invite, 180));
    bench.receive(peerResponse(invite, 183));
    const events = bench.user.take();
    expect(events.map(({ message }) => message.kind === 'response' && message.status)).toEqual([180, 183]);
    expect(events[0]).toMatchObject({
      transactionId: txn,
      dialogId,
      protocol: 'udp',
      address: '127.0.0.1',
      port: PEER_PORT,
    });
  });

  it.each([302, 404, 486, 600])(
    '%d: ACKed by the server, shown once; an ACK of the application is refused',
    (status) => {
      const { bench, invite, dialogId } = calling();
      bench.sent();
      const refusal = peerResponse(invite, status);
      bench.receive(refusal);
      const ack = bench.one();
      expect(ack).toMatchObject({ method: 'ACK', uri: URI, cseq: { number: invite.cseq.number, method: 'ACK' } });
      expect(ack.headers.get('via')).toBe(invite.headers.get('via'));
      expect(tag(ack, 'to')).toBe('peer');
      bench.receive(refusal);
      expect(bench.wire()).toEqual(['ACK']);
      expect(bench.user.seen()).toEqual([String(status)]);
      expect(bench.request({ method: 'ACK', dialogId })).toEqual({
        ok: false,
        reason: 'Server error: ACK for non-success final response is automatically generated by server',
      });
    },
  );

  it('200: the application ACKs; the server repeats that ACK for each repeated 200', () => {
    const { bench, ok, invite, ack, dialogId } = confirmedCall();
    expect(ack).toMatchObject({ method: 'ACK', uri: URI, cseq: { number: invite.cseq.number, method: 'ACK' } });
    expect(ack.via.params.get('branch')).not.toBe(invite.via.params.get('branch'));
    expect([tag(ack, 'from'), tag(ack, 'to')]).toEqual([tag(invite, 'from'), 'peer']);
    bench.receive(ok);
    expect(bench.one().text).toBe(ack.text);
    expect(bench.user.take()).toEqual([]);
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: true });
  });

  it('200 again before the application has ACKed: swallowed', () => {
    const { bench, ok } = acceptedCall();
    bench.receive(ok);
    expect(bench.wire()).toEqual([]);
    expect(bench.user.seen()).toEqual(['200']);
  });

  it('200 of another fork: ACKed and ended, not shown', () => {
    const { bench, invite } = confirmedCall();
    bench.receive(peerResponse(invite, 200, { tag: 'fork', contact: '<sip:fork@127.0.0.1:15999>' }));
    const sent = bench.sent();
    expect(sent.map(({ message }) => message.kind === 'request' && message.method)).toEqual(['ACK', 'BYE']);
    for (const { message } of sent) {
      expect(message).toMatchObject({ uri: 'sip:fork@127.0.0.1:15999' });
      expect(tag(message, 'to')).toBe('fork');
    }
    expect(bench.user.take()).toEqual([]);
  });

  it('the ACK carries the credentials of its INVITE', () => {
    const bench = new Bench();
    const { invite, dialogId } = calling(bench, URI, [['Proxy-Authorization', 'Digest x']]);
    bench.sent();
    bench.receive(peerResponse(invite, 200));
    bench.request({ method: 'ACK', dialogId });
    expect(bench.one().headers.get('proxy-authorization')).toBe('Digest x');
  });

  it('a reliable one makes the dialog: PRACK, and not shown twice', () => {
    const { bench, invite, dialogId } = calling();
    bench.sent();
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: false });
    const progress = peerResponse(invite, 183, { headers: ['Require: 100rel', 'RSeq: 7'], body: sdp() });
    bench.receive(progress);
    bench.receive(progress);
    expect(bench.user.seen()).toEqual(['183']);
    expect(bench.request({ method: 'PRACK', dialogId })).toEqual({
      ok: false,
      reason: 'Server error: Error creating sip transaction for request',
    });
    // drachtio-srf gives the INVITE's Request-URI here.
    bench.request({ method: 'PRACK', dialogId, uri: 'sip:whatever@10.0.0.1' }, [
      ['RAck', `7 ${invite.cseq.number} INVITE`],
    ]);
    expect(bench.one()).toMatchObject({ method: 'PRACK', uri: URI, cseq: { number: invite.cseq.number + 1 } });
  });

  it('a BYE of the callee before its answer is refused, and the answer still counts', () => {
    const { bench, invite, dialogId } = calling();
    bench.sent();
    bench.receive(peerRequest({ method: 'BYE', callId: invite.callId, fromTag: 'peer', toTag: tag(invite, 'from') }));
    expect(bench.wire()).toEqual(['481']);
    bench.receive(peerResponse(invite, 200));
    expect(bench.request({ method: 'ACK', dialogId })).toMatchObject({ ok: true });
  });

  it('repeated with credentials: same dialog id, new transaction', () => {
    const { bench, invite, dialogId } = calling();
    bench.receive(peerResponse(invite, 407));
    bench.sent();
    const second = calling(bench, URI, [
      ['Call-ID', invite.callId],
      ['From', invite.headers.get('from') ?? ''],
      ['CSeq', `${invite.cseq.number + 1} INVITE`],
    ]);
    expect(second.dialogId).toBe(dialogId);
    bench.sent();
    bench.receive(peerResponse(second.invite, 200, { tag: 'answered' }));
    expect(bench.request({ method: 'ACK', dialogId })).toMatchObject({ ok: true });
    expect(tag(bench.one(), 'to')).toBe('answered');
    // The first attempt's end does not take the dialog along.
    bench.clock.advance(120_000);
    expect(bench.request({ method: 'BYE', dialogId })).toMatchObject({ ok: true });
  });
});

describe('an outgoing CANCEL', () => {
  it("after a provisional response: sent at once, with the application's headers; its 200 is kept, the 487 shown", () => {
    const { bench, invite, txn } = calling();
    bench.receive(peerResponse(invite, 180));
    bench.sent();
    bench.user.take();
    const result = bench.request({ method: 'CANCEL', transactionId: txn }, [
      ['Reason', 'SIP;cause=200'],
      ['Contact', '<sip:x>'],
    ]);
    const cancel = bench.one();
    expect(result).toMatchObject({ ok: true, text: cancel.text, address: '127.0.0.1', port: 5060 });
    expect(cancel).toMatchObject({
      method: 'CANCEL',
      uri: URI,
      cseq: { number: invite.cseq.number, method: 'CANCEL' },
    });
    expect(cancel.headers.get('via')).toBe(invite.headers.get('via'));
    expect(cancel.headers.get('reason')).toBe('SIP;cause=200');
    expect(cancel.headers.has('contact')).toBe(false);
    bench.receive(peerResponse(cancel, 200));
    expect(bench.user.take()).toEqual([]);
    bench.receive(peerResponse(invite, 487));
    expect(bench.user.seen()).toEqual(['487']);
    expect(bench.wire()).toEqual(['ACK']);
  });

  it.each([100, 180])('before any: OK without bytes, sent when the first %d arrives, once', (status) => {
    const { bench, invite, txn } = calling();
    bench.sent();
    expect(bench.request({ method: 'CANCEL', transactionId: txn })).toMatchObject({ ok: true, bytes: 0, text: '' });
    expect(bench.wire()).toEqual([]);
    bench.receive(peerResponse(invite, status));
    expect(bench.wire()).toEqual(['CANCEL']);
    bench.receive(peerResponse(invite, 183));
    expect(bench.wire()).toEqual([]);
  });

  it('before any, and none comes: 408', () => {
    const { bench, txn } = calling();
    bench.request({ method: 'CANCEL', transactionId: txn });
    bench.clock.advance(32_000);
    expect(bench.user.seen()).toEqual(['408']);
    expect(bench.wire()).not.toContain('CANCEL');
  });

  it('crossing a 200: shown; after the ACK the server sends BYE and shows it', () => {
    const { bench, invite, txn, dialogId } = calling();
    bench.receive(peerResponse(invite, 180));
    bench.request({ method: 'CANCEL', transactionId: txn });
    bench.sent();
    bench.user.take();
    bench.receive(peerResponse(invite, 200));
    expect(bench.user.seen()).toEqual(['200']);
    bench.request({ method: 'ACK', dialogId });
    const sent = bench.sent().map(({ message }) => message);
    expect(sent.map((message) => message.kind === 'request' && message.method)).toEqual(['ACK', 'BYE']);
    expect(sent[1]?.headers.get('reason')).toContain('ACK-BYE due to cancel race condition');
    expect(bench.user.take()).toMatchObject([
      { source: 'application', transactionId: 'unsolicited', dialogId, message: { method: 'BYE' } },
    ]);
  });

  it('a second time is refused', () => {
    const { bench, txn } = calling();
    const cancel = { method: 'CANCEL', transactionId: txn };
    expect(bench.request(cancel)).toMatchObject({ ok: true });
    expect(bench.request(cancel)).toEqual({
      ok: false,
      reason: `internal server error canceling transaction id: ${txn}`,
    });
  });

  it('of a call that is over is refused', () => {
    const { bench, invite, txn } = calling();
    bench.receive(peerResponse(invite, 486));
    const reason = `unable to cancel unknown transaction id: ${txn}`;
    expect(bench.request({ method: 'CANCEL', transactionId: txn })).toEqual({ ok: false, reason });
    const call = confirmedCall();
    expect(call.bench.request({ method: 'CANCEL', transactionId: call.txn })).toMatchObject({ ok: false });
  });

  it('by the server after 185 s of ringing (timer C); nothing but the end is shown', () => {
    const { bench, invite } = calling();
    bench.receive(peerResponse(invite, 180));
    bench.sent();
    bench.user.take();
    bench.clock.advance(184_999);
    expect(bench.wire()).toEqual([]);
    bench.clock.advance(1);
    expect(bench.wire()).toEqual(['CANCEL']);
    expect(bench.user.take()).toEqual([]);
    bench.clock.advance(32_000);
    expect(bench.user.seen()).toEqual(['408']);
  });
});

describe('a call we made', () => {
  it('our BYE ends the dialog with its response', () => {
    const { bench, dialogId } = confirmedCall();
    bench.request({ method: 'BYE', dialogId });
    const bye = bench.one();
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: true });
    bench.receive(peerResponse(bye, 200));
    expect(bench.user.take()).toMatchObject([{ dialogId, message: { status: 200 } }]);
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: false });
  });

  it('a challenged BYE leaves it for another', () => {
    const { bench, dialogId } = confirmedCall();
    bench.request({ method: 'BYE', dialogId });
    bench.receive(peerResponse(bench.one(), 407));
    expect(bench.request({ method: 'BYE', dialogId })).toMatchObject({ ok: true });
  });

  it('a BYE without an answer ends it with the made-up 408', () => {
    const { bench, dialogId } = confirmedCall();
    bench.request({ method: 'BYE', dialogId });
    bench.clock.advance(32_000);
    expect(bench.user.seen()).toEqual(['408']);
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: false });
  });

  it("the peer's requests come with the dialog, and its BYE ends it", () => {
    const { bench, dialogId, invite } = confirmedCall();
    const inDialog = { callId: invite.callId, fromTag: 'peer', toTag: tag(invite, 'from') };
    bench.receive(peerRequest({ method: 'INFO', cseq: 1, ...inDialog }));
    bench.receive(peerRequest({ method: 'BYE', cseq: 2, ...inDialog }));
    const events = bench.user.take();
    expect(events).toMatchObject([{ dialogId }, { dialogId }]);
    for (const event of events) bench.respond(event.transactionId, 200);
    expect(bench.wire()).toEqual(['200', '200']);
    expect(bench.request({ method: 'BYE', dialogId })).toMatchObject({ ok: false });
  });

  it('a re-INVITE: its 200 is ACKed by the application, its refusal by the server', () => {
    const { bench, dialogId, invite } = confirmedCall();
    bench.request({ method: 'INVITE', dialogId, body: sdp() });
    const again = bench.one();
    expect(again.cseq.number).toBe(invite.cseq.number + 1);
    bench.receive(peerResponse(again, 200, { contact: `<sip:new@127.0.0.1:${PEER_PORT}>` }));
    expect(bench.user.take()).toMatchObject([{ dialogId, message: { status: 200 } }]);
    bench.request({ method: 'ACK', dialogId });
    expect(bench.one()).toMatchObject({ uri: `sip:new@127.0.0.1:${PEER_PORT}`, cseq: { number: again.cseq.number } });

    bench.request({ method: 'INVITE', dialogId, body: sdp() });
    bench.receive(peerResponse(bench.one(), 488));
    expect(bench.wire()).toEqual(['ACK']);
    expect(bench.request({ method: 'ACK', dialogId })).toMatchObject({ ok: false });
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: true });
  });

  it("goes by Record-Route in the caller's order", () => {
    const headers = ['Record-Route: <sip:127.0.0.1:7002;lr>, <sip:127.0.0.1:7001;lr>'];
    const { bench, ack, dialogId } = confirmedCall(undefined, { headers, contact: '<sip:bob@10.0.0.9>' });
    expect(ack.headers.all('route')).toEqual(['<sip:127.0.0.1:7001;lr>', '<sip:127.0.0.1:7002;lr>']);
    bench.request({ method: 'BYE', dialogId });
    const [bye] = bench.sent();
    expect(bye?.target).toMatchObject({ address: '127.0.0.1', port: 7001 });
    expect(bye?.message).toMatchObject({ uri: 'sip:bob@10.0.0.9' });
  });

  it('goes to the source of the 200 when its Contact is elsewhere', () => {
    const { bench, ack, dialogId } = confirmedCall(undefined, { contact: '<sip:bob@10.0.0.9:5060>' });
    expect(ack).toMatchObject({ uri: 'sip:bob@10.0.0.9:5060' });
    bench.request({ method: 'BYE', dialogId });
    expect(bench.sent()[0]?.target).toEqual({ protocol: 'udp', address: '127.0.0.1', port: PEER_PORT });
  });

  it('another connection may use the dialog, and gets the answer; the owner keeps it', () => {
    const { bench, dialogId, invite } = confirmedCall();
    const other = new Bench().user;
    let id = '';
    const info = {
      method: 'INFO',
      uri: 'sip:placeholder',
      headers: parsed(invite.text).headers,
      body: sdp(),
      dialogId,
    };
    bench.core.request(other, info, (result) => {
      id = result.ok ? result.transactionId : '';
    });
    bench.receive(peerResponse(bench.one(), 200));
    expect(other.take()).toMatchObject([{ transactionId: id, dialogId, message: { status: 200 } }]);
    bench.receive(peerRequest({ method: 'BYE', callId: invite.callId, fromTag: 'peer', toTag: tag(invite, 'from') }));
    expect(bench.user.seen()).toEqual(['BYE']);
    expect(other.take()).toEqual([]);
  });

  it('leaves nothing behind', () => {
    const { bench, dialogId } = confirmedCall();
    bench.request({ method: 'BYE', dialogId });
    bench.receive(peerResponse(bench.one(), 200));
    bench.clock.advance(300_000);
    expect(bench.core.counts).toMatchObject({ transactions: 0, dialogs: 0 });
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('nor does one that failed', () => {
    const { bench, invite } = calling();
    bench.receive(peerResponse(invite, 486));
    bench.clock.advance(300_000);
    expect(bench.core.counts).toMatchObject({ transactions: 0, dialogs: 0 });
    expect(bench.clock.pendingCount).toBe(0);
  });
});

describe('the session timer that a callee agrees to (RFC 4028)', () => {
  it('the callee refreshes: it is held to it', () => {
    const { bench, invite, ok, dialogId } = confirmedCall(undefined, {
      headers: ['Session-Expires: 90;refresher=uas'],
    });
    expect(ok).toContain('refresher=uas');
    bench.clock.advance(50_000);
    const refresh = { callId: invite.callId, fromTag: 'peer', toTag: tag(invite, 'from') };
    bench.receive(peerRequest({ method: 'UPDATE', ...refresh, headers: ['Session-Expires: 90;refresher=uac'] }));
    bench.respond(bench.user.take()[0]?.transactionId ?? '', 200);
    bench.wire();
    bench.clock.advance(59_000);
    expect(bench.wire()).toEqual([]);
    bench.clock.advance(1_000);
    expect(bench.wire()).toEqual(['BYE']);
    expect(bench.user.take()).toMatchObject([{ source: 'application', dialogId }]);
  });

  it('we refresh: the description again, at half of the interval', () => {
    const { bench } = confirmedCall(undefined, { headers: ['Session-Expires: 90;refresher=uac'] });
    bench.clock.advance(45_000);
    const refresh = bench.one();
    expect(refresh).toMatchObject({ method: 'INVITE', body: sdp() });
    bench.receive(peerResponse(refresh, 200));
    expect(bench.wire()).toEqual(['ACK']);
    bench.receive(peerResponse(refresh, 200));
    expect(bench.wire()).toEqual(['ACK']);
    expect(bench.user.take()).toEqual([]);
  });

  it('a request of the application that is refreshed anew counts from there', () => {
    const { bench, dialogId } = confirmedCall(undefined, { headers: ['Session-Expires: 90;refresher=uac'] });
    bench.clock.advance(40_000);
    bench.request({ method: 'UPDATE', dialogId }, [['Session-Expires', '90;refresher=uac']]);
    bench.receive(peerResponse(bench.one(), 200, { headers: ['Session-Expires: 90;refresher=uac'] }));
    bench.clock.advance(44_999);
    expect(bench.wire()).toEqual([]);
    bench.clock.advance(1);
    expect(bench.wire()).toEqual(['INVITE']);
  });
});

describe('when the application goes', () => {
  function leave(bench: Bench): void {
    bench.user.alive = false;
    bench.core.userGone(bench.user);
  }

  it('a call that rings is cancelled', () => {
    const { bench, invite } = calling();
    bench.receive(peerResponse(invite, 180));
    bench.sent();
    leave(bench);
    expect(bench.wire()).toEqual(['CANCEL']);
  });

  it('a 200 that nobody can take is ACKed and ended, once', () => {
    const { bench, invite } = calling();
    leave(bench);
    bench.sent();
    const ok = peerResponse(invite, 200);
    bench.receive(ok);
    expect(bench.wire()).toEqual(['ACK', 'BYE']);
    bench.receive(ok);
    expect(bench.wire()).toEqual(['ACK']);
  });

  it('its dialogs are kept for others, but not for ever', () => {
    const { bench, dialogId } = confirmedCall(new Bench({ ownerlessDialogMs: 1000 }));
    leave(bench);
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: true });
    bench.clock.advance(1000);
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: false });
    expect(bench.core.counts.dialogs).toBe(0);
  });
});

describe('SUBSCRIBE', () => {
  it('makes a dialog in which NOTIFY comes, also before the 202, until it says terminated', () => {
    const bench = new Bench();
    const result = bench.request({ method: 'SUBSCRIBE' }, [['Event', 'presence']]);
    const subscribe = bench.one();
    expect(subscribe.headers.get('contact')).toBe('<sip:127.0.0.1:5060>');
    const dialogId = `${subscribe.callId};from-tag=${tag(subscribe, 'from')}`;
    expect(result).toMatchObject({ ok: true, dialogId });
    const inDialog = { callId: subscribe.callId, fromTag: 'peer', toTag: tag(subscribe, 'from') };
    bench.receive(peerRequest({ method: 'NOTIFY', cseq: 1, headers: ['Subscription-State: active'], ...inDialog }));
    bench.receive(peerResponse(subscribe, 202));
    const events = bench.user.take();
    expect(events).toMatchObject([{ dialogId }, { dialogId, message: { status: 202 } }]);
    bench.respond(events[0]?.transactionId ?? '', 200);
    bench.receive(
      peerRequest({ method: 'NOTIFY', cseq: 2, headers: ['Subscription-State: terminated;reason=x'], ...inDialog }),
    );
    bench.respond(bench.user.take()[0]?.transactionId ?? '', 200);
    expect(bench.core.counts.dialogs).toBe(0);
  });
});

describe('a call to ourselves', () => {
  /** Delivers what the server sends to itself. */
  function loop(bench: Bench): void {
    for (let sent = bench.sent(); sent.length > 0; sent = bench.sent()) {
      for (const { message, target } of sent) {
        expect(target.port).toBe(5060);
        bench.receive(message.text, { remotePort: 5060 });
      }
    }
  }

  it('has two dialogs that are not mixed up', () => {
    const bench = new Bench();
    const { dialogId } = calling(bench, 'sip:me@127.0.0.1:5060');
    loop(bench);
    const [invite] = bench.user.take();
    const answer = bench.respond(invite?.transactionId ?? '', 200, [], sdp());
    const other = answer.ok ? answer.dialogId : '';
    expect(other).not.toBe(dialogId);
    loop(bench);
    expect(bench.user.take()).toMatchObject([{ dialogId, message: { status: 200 } }]);
    bench.request({ method: 'ACK', dialogId });
    loop(bench);
    expect(bench.user.take()).toMatchObject([{ dialogId: other, message: { method: 'ACK' } }]);
    bench.request({ method: 'INFO', dialogId: other });
    loop(bench);
    expect(bench.user.take()).toMatchObject([{ dialogId, message: { method: 'INFO' } }]);
    bench.request({ method: 'BYE', dialogId });
    loop(bench);
    const [bye] = bench.user.take();
    expect(bye).toMatchObject({ dialogId: other, message: { method: 'BYE' } });
    bench.respond(bye?.transactionId ?? '', 200);
    loop(bench);
    expect(bench.user.take()).toMatchObject([{ dialogId, message: { status: 200 } }]);
    expect(bench.core.counts.dialogs).toBe(0);
  });

  it('ends by Max-Forwards', () => {
    const bench = new Bench();
    calling(bench, 'sip:me@127.0.0.1:5060', [['Max-Forwards', '0']]);
    loop(bench);
    expect(bench.user.seen()).toEqual(['483']);
  });
});

describe('phones that registered over TCP', () => {
  const phone = { protocol: 'tcp', remotePort: 40_001 } as const;
  function register(bench: Bench, expires: string): void {
    bench.connections.add('127.0.0.1:40001');
    const headers = ['Contact: <sip:bob@10.0.0.7:5060;transport=tcp>'];
    bench.receive(peerRequest({ method: 'REGISTER', transport: 'tcp', headers }), phone);
    const txn = bench.user.take()[0]?.transactionId ?? '';
    bench.respond(txn, 200, [['Contact', `<sip:bob@10.0.0.7:5060;transport=tcp>;expires=${expires}`]]);
    bench.sent();
  }
  const targetOf = (bench: Bench): unknown => {
    bench.request({ method: 'MESSAGE', uri: 'sip:bob@10.0.0.7' });
    return bench.sent()[0]?.target;
  };

  it('are called over that connection until they expire', () => {
    const bench = new Bench();
    register(bench, '60');
    expect(targetOf(bench)).toEqual({ protocol: 'tcp', address: '127.0.0.1', port: 40_001 });
    bench.clock.advance(60_000);
    expect(targetOf(bench)).toEqual({ protocol: 'udp', address: '10.0.0.7', port: 5060 });
  });

  it('are called by their address when the connection is gone, or they have unregistered', () => {
    const bench = new Bench();
    register(bench, '60');
    bench.connections.clear();
    expect(targetOf(bench)).toMatchObject({ protocol: 'udp' });
    register(bench, '0');
    expect(targetOf(bench)).toMatchObject({ protocol: 'udp' });
  });
});

describe('a call with a third of its messages lost', () => {
  /** Two servers that call each other; the wire between them drops what `lost` says. */
  function connect(lost: () => boolean) {
    const [caller, callee] = [new Bench(), new Bench()];
    const carry = (message: SipMessage, to: Bench, fromPort: number) => {
      if (!lost()) to.receive(message.text, { remotePort: fromPort });
    };
    const settle = () => {
      for (let moved = true; moved; ) {
        const [out, back] = [caller.sent(), callee.sent()];
        moved = out.length + back.length > 0;
        for (const { message } of out) carry(message, callee, 5060);
        for (const { message } of back) carry(message, caller, PEER_PORT);
      }
    };
    const pass = (milliseconds: number) => {
      for (let passed = 0; passed < milliseconds; passed += 100) {
        caller.clock.advance(100);
        callee.clock.advance(100);
        settle();
      }
    };
    return { caller, callee, pass };
  }

  /** The same sequence for the same seed (Numerical Recipes' generator). */
  function dice(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('still goes from INVITE to BYE, each shown once (seed %d)', (seed) => {
    const random = dice(seed);
    const { caller, callee, pass } = connect(() => random() < 0.33);
    const call = calling(caller);
    pass(20_000);
    const [invite] = callee.user.take();
    const answer = callee.respond(
      invite?.transactionId ?? '',
      200,
      [['Contact', `<sip:bob@127.0.0.1:${PEER_PORT}>`]],
      sdp(),
    );
    pass(20_000);
    expect(caller.user.seen()).toEqual(['200']);
    caller.request({ method: 'ACK', dialogId: call.dialogId });
    pass(10_000);
    expect(new Set(callee.user.seen())).toEqual(new Set(['ACK']));
    expect(answer).toMatchObject({ ok: true });
    caller.request({ method: 'BYE', dialogId: call.dialogId });
    for (let tries = 0; tries < 100 && callee.user.events.length === 0; tries++) pass(200);
    const [bye] = callee.user.take();
    callee.respond(bye?.transactionId ?? '', 200);
    pass(32_000);
    expect(caller.user.seen()).toEqual(['200']);
    pass(100_000);
    expect([caller.core.counts, callee.core.counts]).toMatchObject([
      { transactions: 0, dialogs: 0 },
      { transactions: 0, dialogs: 0 },
    ]);
  });
});
