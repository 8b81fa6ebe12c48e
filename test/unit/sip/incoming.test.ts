import { describe, expect, it } from 'vitest';
import { Bench, PEER_PORT, peerRequest, peerResponse, sdp, tag } from './support/bench.js';

/** An INVITE shown to the application. */
function ringing(bench = new Bench(), headers: readonly string[] = []) {
  const invite = peerRequest({ method: 'INVITE', branch: 'z9hG4bK-inv', headers, body: sdp() });
  bench.receive(invite);
  const [shown] = bench.user.take();
  if (!shown) throw new Error('not shown');
  expect(bench.wire()).toEqual(['100']);
  return { bench, invite, shown, txn: shown.transactionId };
}

/** A call that has been answered; the caller's ACK still to come. */
function answered(bench?: Bench, headers?: readonly string[]) {
  const made = ringing(bench, headers);
  const result = made.bench.respond(made.txn, 200, [], sdp());
  if (!result.ok) throw new Error(result.reason);
  const ok = made.bench.one();
  return { ...made, ok, toTag: tag(ok, 'to'), dialogId: result.dialogId };
}

function confirmed(bench?: Bench, headers?: readonly string[]) {
  const call = answered(bench, headers);
  call.bench.receive(peerRequest({ method: 'ACK', toTag: call.toTag }));
  expect(call.bench.user.seen()).toEqual(['ACK']);
  return call;
}

describe('an incoming INVITE', () => {
  it('is answered 100 without a To tag and shown with its source', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'INVITE', branch: 'z9hG4bK-1' }));
    const trying = bench.one();
    expect(trying).toMatchObject({ status: 100 });
    expect(tag(trying, 'to')).toBe('');
    const [event] = bench.user.take();
    expect(event).toMatchObject({
      source: 'network',
      protocol: 'udp',
      address: '127.0.0.1',
      port: PEER_PORT,
      dialogId: '',
      receivedOn: { address: '127.0.0.1', port: 5060 },
    });
    expect(event?.text).toContain(`branch=z9hG4bK-1;rport=${PEER_PORT}\r\n`);
    expect(event?.bytes).toBe((event?.text.length ?? 0) - `;rport=${PEER_PORT}`.length);
  });

  it('again, before an answer: not shown again', () => {
    const { bench, invite } = ringing();
    bench.receive(invite);
    expect(bench.user.take()).toEqual([]);
    expect(bench.wire()).toEqual(['100']);
  });

  it('again, after 180: 180 again', () => {
    const { bench, invite, txn } = ringing();
    bench.respond(txn, 180);
    bench.receive(invite);
    expect(bench.wire()).toEqual(['180', '180']);
    expect(bench.user.take()).toEqual([]);
  });

  it('gets one To tag, ours or the one the application chooses first', () => {
    const { bench, txn } = ringing();
    bench.respond(txn, 180);
    bench.respond(txn, 200, [['To', '<sip:x@y>;tag=late']]);
    const [ringingSent, ok] = bench.sent().map(({ message }) => tag(message, 'to'));
    expect(ringingSent).toMatch(/^[0-9a-f]{16}$/);
    expect(ok).toBe(ringingSent);

    const other = ringing();
    other.bench.respond(other.txn, 183, [['to', '<sip:x@y>;tag=chosen']]);
    expect(tag(other.bench.one(), 'to')).toBe('chosen');
  });

  it('makes a dialog named by Call-ID and From tag', () => {
    const { bench, txn } = ringing();
    expect(bench.respond(txn, 180)).toMatchObject({
      ok: true,
      dialogId: 'call-1;from-tag=peer',
      protocol: 'udp',
      address: '127.0.0.1',
      port: PEER_PORT,
      transactionId: txn,
    });
  });

  it('a 200 gets Contact and Content-Type, and the application may not set the rest', () => {
    const { bench, txn } = ringing(undefined, ['Record-Route: <sip:p1;lr>', 'Record-Route: <sip:p2;lr>']);
    const mine: [string, string][] = [
      ['Via', 'SIP/2.0/UDP evil'],
      ['From', '<sip:evil@x>'],
      ['Call-ID', 'evil'],
      ['CSeq', '9 BYE'],
      ['Content-Length', '9999'],
      ['Record-Route', '<sip:evil>'],
      ['Route', '<sip:evil>'],
      ['RSeq', '1'],
      ['x-custom', 'kept'],
      ['allow', 'INVITE'],
    ];
    bench.respond(txn, 200, mine, sdp());
    const ok = bench.one();
    expect(ok.headers.get('contact')).toBe('<sip:127.0.0.1:5060>');
    expect(ok.headers.get('content-type')).toBe('application/sdp');
    expect(ok.headers.all('record-route')).toEqual(['<sip:p1;lr>', '<sip:p2;lr>']);
    expect(ok.text).toContain('\r\nx-custom: kept\r\n');
    expect(ok.text).toContain('\r\nAllow: INVITE\r\n');
    expect(ok.text).not.toContain('evil');
    expect(ok.headers.has('rseq')).toBe(false);
    expect(ok.cseq).toEqual({ number: 1, method: 'INVITE' });
  });

  it('a 100 of the application has no To tag and makes no dialog', () => {
    const { bench, txn } = ringing();
    expect(bench.respond(txn, 100)).toMatchObject({ ok: true, dialogId: '' });
    expect(tag(bench.one(), 'to')).toBe('');
  });

  it('has no Contact in a plain 180, and keeps one that is given', () => {
    const { bench, txn } = ringing();
    bench.respond(txn, 180);
    bench.respond(txn, 183, [['Contact', '<sip:me@pbx.example>']]);
    expect(bench.sent().map(({ message }) => message.headers.get('contact'))).toEqual([
      undefined,
      '<sip:me@pbx.example>',
    ]);
  });

  it('a body without a type is refused unless it looks like SDP', () => {
    const { bench, txn } = ringing();
    expect(bench.respond(txn, 200, [], 'hello')).toEqual({ ok: false, reason: 'missing content-type' });
    expect(bench.wire()).toEqual([]);
  });

  it('gets 503 when nobody wants it, after the 100', () => {
    const bench = new Bench();
    bench.routes.clear();
    bench.receive(peerRequest({ method: 'INVITE' }));
    expect(bench.wire()).toEqual(['100', '503']);
    expect(bench.user.events).toEqual([]);
  });

  it('is forgotten after 64 s without an answer, and then taken for a new one', () => {
    const { bench, invite, txn } = ringing();
    bench.clock.advance(64_000);
    expect(bench.respond(txn, 200)).toEqual({ ok: false, reason: 'Response not sent due to unknown transaction' });
    expect(bench.wire()).toEqual([]);
    bench.receive(invite);
    expect(bench.user.seen()).toEqual(['INVITE']);
  });

  it('may ring for longer than that', () => {
    const { bench, txn } = ringing();
    bench.respond(txn, 180);
    bench.clock.advance(100_000);
    expect(bench.respond(txn, 200, [], sdp())).toMatchObject({ ok: true });
  });

  it('with a To tag that belongs to no dialog: 481', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'INVITE', toTag: 'gone' }));
    expect(bench.wire()).toEqual(['100', '481']);
  });
});

describe('the end of an INVITE', () => {
  it('200 again at 0.5, 1, 2, 4 s until the ACK, which carries the TXN of the INVITE', () => {
    const { bench, toTag, txn, dialogId } = answered();
    bench.clock.advance(500 + 1000 + 2000 + 4000);
    expect(bench.wire()).toEqual(['200', '200', '200', '200']);
    const ack = peerRequest({ method: 'ACK', toTag });
    bench.receive(ack);
    expect(bench.user.take()).toMatchObject([
      { transactionId: txn, dialogId, protocol: '', message: { method: 'ACK' } },
    ]);
    bench.clock.advance(60_000);
    expect(bench.wire()).toEqual([]);
    bench.receive(ack);
    const [again] = bench.user.take();
    expect(again).toMatchObject({ dialogId, message: { method: 'ACK' } });
    expect(again?.transactionId).not.toBe(txn);
  });

  it('without an ACK for 32 s: BYE, shown to the application, and the dialog is gone', () => {
    const { bench, dialogId, toTag } = answered();
    bench.clock.advance(31_999);
    bench.wire();
    bench.clock.advance(1);
    const bye = bench.one();
    expect(bye).toMatchObject({ method: 'BYE', uri: `sip:bob@127.0.0.1:${PEER_PORT}` });
    expect(bye.headers.get('reason')).toBe('SIP;cause=200;text="ACK timeout"');
    expect(tag(bye, 'from')).toBe(toTag);
    expect(tag(bye, 'to')).toBe('peer');
    expect(bench.user.take()).toMatchObject([{ source: 'application', transactionId: 'unsolicited', dialogId }]);
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: false });
  });

  it('a second final response after the 200: the first one echoed, nothing sent', () => {
    const { bench, txn, ok } = answered();
    expect(bench.respond(txn, 486)).toMatchObject({ ok: true, text: ok.text });
    expect(bench.wire()).toEqual([]);
  });

  it('a second final response after 486: unknown transaction', () => {
    const { bench, txn } = ringing();
    expect(bench.respond(txn, 486)).toMatchObject({ ok: true });
    expect(bench.respond(txn, 200)).toEqual({ ok: false, reason: 'Response not sent due to unknown transaction' });
    expect(bench.wire()).toEqual(['486']);
  });

  it.each(['z9hG4bK-inv', 'z9hG4bK-another'])('486 again until the ACK (branch %s), which is absorbed', (branch) => {
    const { bench, txn } = ringing();
    bench.respond(txn, 486);
    const busy = bench.one();
    bench.clock.advance(1500);
    expect(bench.wire()).toEqual(['486', '486']);
    bench.receive(peerRequest({ method: 'ACK', branch, toTag: tag(busy, 'to') }));
    bench.clock.advance(60_000);
    expect(bench.wire()).toEqual([]);
    expect(bench.user.take()).toEqual([]);
  });
});

describe('an incoming CANCEL', () => {
  const cancel = peerRequest({ method: 'CANCEL', branch: 'z9hG4bK-inv', headers: ['Reason: SIP;cause=200'] });

  it('after 180: 200 and 487 by the server, shown with the TXN and the dialog', () => {
    const { bench, txn, shown } = ringing();
    bench.respond(txn, 180);
    bench.wire();
    bench.receive(cancel);
    expect(bench.wire()).toEqual(['200', '487']);
    expect(bench.user.take()).toMatchObject([
      { transactionId: txn, dialogId: 'call-1;from-tag=peer', bytes: shown.bytes, message: { method: 'CANCEL' } },
    ]);
    expect(bench.respond(txn, 200)).toMatchObject({ ok: false });
    expect(bench.wire()).toEqual([]);
  });

  it('before any answer: no dialog, and no address it came in on', () => {
    const { bench, txn } = ringing();
    bench.receive(cancel);
    const [event] = bench.user.take();
    expect(event).toMatchObject({ transactionId: txn, dialogId: '', bytes: cancel.length });
    expect(event).not.toHaveProperty('receivedOn');
  });

  it('again: the 200 again, not shown again', () => {
    const { bench } = ringing();
    bench.receive(cancel);
    bench.wire();
    bench.user.take();
    bench.receive(cancel);
    expect(bench.wire()).toEqual(['200']);
    expect(bench.user.take()).toEqual([]);
  });

  it('after a 200: 481, and the call goes on', () => {
    const { bench, toTag } = answered();
    bench.receive(cancel);
    expect(bench.wire()).toEqual(['481']);
    bench.receive(peerRequest({ method: 'ACK', toTag }));
    expect(bench.user.seen()).toEqual(['ACK']);
  });

  it('of nothing, or with another branch: 481', () => {
    const { bench } = ringing();
    bench.receive(peerRequest({ method: 'CANCEL', branch: 'z9hG4bK-forged' }));
    bench.receive(peerRequest({ method: 'CANCEL', callId: 'other', branch: 'z9hG4bK-inv' }));
    expect(bench.wire()).toEqual(['481', '481']);
    expect(bench.user.take()).toEqual([]);
  });
});

describe('requests in a dialog', () => {
  it.each(['INFO', 'UPDATE', 'REFER', 'NOTIFY', 'MESSAGE', 'OPTIONS'])(
    '%s goes to the owner, without a route',
    (method) => {
      const { bench, toTag, dialogId } = confirmed();
      bench.routes.clear();
      bench.receive(peerRequest({ method, toTag, cseq: 2 }));
      const [event] = bench.user.take();
      expect(event).toMatchObject({ dialogId, message: { method } });
      expect(event).not.toHaveProperty('receivedOn');
      expect(bench.respond(event?.transactionId ?? '', 200)).toMatchObject({ ok: true, protocol: '', dialogId: '' });
      expect(bench.wire()).toEqual(['200']);
    },
  );

  it('BYE ends the dialog at once; the application answers', () => {
    const { bench, toTag, dialogId } = confirmed();
    bench.receive(peerRequest({ method: 'BYE', toTag, cseq: 2 }));
    expect(bench.wire()).toEqual([]);
    expect(bench.request({ method: 'INFO', dialogId })).toEqual({
      ok: false,
      reason: 'Server error: unable to find dialog for dialog id provided',
    });
    const [event] = bench.user.take();
    expect(bench.respond(event?.transactionId ?? '', 200)).toMatchObject({ ok: true, dialogId: '', protocol: '' });
    expect(bench.wire()).toEqual(['200']);
    bench.receive(peerRequest({ method: 'INFO', toTag, cseq: 3 }));
    bench.receive(peerRequest({ method: 'BYE', toTag, cseq: 4 }));
    expect(bench.wire()).toContain('481');
  });

  it.each([
    ['another From tag', { fromTag: 'stranger' }],
    ['another Call-ID', { callId: 'stranger' }],
    ['another To tag', { toTag: 'stranger' }],
  ])('a BYE with %s: 481, and the call goes on', (_what, wrong) => {
    const { bench, toTag, dialogId } = confirmed();
    bench.receive(peerRequest({ method: 'BYE', toTag, cseq: 2, ...wrong }));
    expect(bench.wire()).toEqual(['481']);
    expect(bench.user.take()).toEqual([]);
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: true });
  });

  it('out of order: 500 (RFC 3261 12.2.2)', () => {
    const { bench, toTag } = confirmed();
    bench.receive(peerRequest({ method: 'INFO', toTag, cseq: 5 }));
    bench.receive(peerRequest({ method: 'INFO', toTag, cseq: 4 }));
    expect(bench.wire()).toEqual(['500']);
  });

  it('a re-INVITE: 100, shown in the dialog, its 200 names the dialog, its ACK has a TXN of its own', () => {
    const { bench, toTag, dialogId } = confirmed();
    bench.receive(peerRequest({ method: 'INVITE', toTag, cseq: 2, body: sdp() }));
    expect(bench.wire()).toEqual(['100']);
    const [event] = bench.user.take();
    expect(event).toMatchObject({ dialogId });
    const txn = event?.transactionId ?? '';
    expect(bench.respond(txn, 200, [], sdp())).toMatchObject({ ok: true, dialogId });
    bench.receive(peerRequest({ method: 'ACK', toTag, cseq: 2 }));
    const [ack] = bench.user.take();
    expect(ack).toMatchObject({ dialogId, message: { method: 'ACK' } });
    expect(ack?.transactionId).not.toBe(txn);
  });

  it('a re-INVITE whose 200 is never ACKed does not end the call', () => {
    const { bench, toTag, dialogId } = confirmed();
    bench.receive(peerRequest({ method: 'INVITE', toTag, cseq: 2, body: sdp() }));
    bench.respond(bench.user.take()[0]?.transactionId ?? '', 200, [], sdp());
    bench.clock.advance(40_000);
    expect(bench.wire()).not.toContain('BYE');
    expect(bench.request({ method: 'INFO', dialogId })).toMatchObject({ ok: true });
  });

  it('a new Contact moves the remote target', () => {
    const { bench, toTag, dialogId } = confirmed();
    bench.receive(
      peerRequest({ method: 'UPDATE', toTag, cseq: 2, headers: [`Contact: <sip:moved@127.0.0.1:${PEER_PORT}>`] }),
    );
    bench.request({ method: 'INFO', dialogId });
    expect(bench.one()).toMatchObject({ uri: `sip:moved@127.0.0.1:${PEER_PORT}` });
  });

  it('when the owner has gone: 481, also to BYE', () => {
    const { bench, toTag } = confirmed();
    bench.user.alive = false;
    bench.core.userGone(bench.user);
    bench.receive(peerRequest({ method: 'INFO', toTag, cseq: 2 }));
    bench.receive(peerRequest({ method: 'BYE', toTag, cseq: 3 }));
    expect(bench.wire()).toEqual(['481', '481']);
    expect(bench.core.counts.dialogs).toBe(0);
  });
});

describe('our requests in a dialog the peer began', () => {
  it("have the tags turned round, our own CSeq, the peer's Contact", () => {
    const { bench, toTag, dialogId } = confirmed();
    bench.request({ method: 'INFO', dialogId, body: 'x' }, [['Content-Type', 'text/plain']]);
    bench.request({ method: 'INFO', dialogId });
    const [first, second] = bench.sent().map(({ message }) => message);
    if (!first || !second) throw new Error('not sent');
    expect([tag(first, 'from'), tag(first, 'to')]).toEqual([toTag, 'peer']);
    expect(first).toMatchObject({ uri: `sip:bob@127.0.0.1:${PEER_PORT}`, callId: 'call-1', body: 'x' });
    expect(second.cseq.number).toBe(first.cseq.number + 1);
    expect(first.headers.get('max-forwards')).toBe('70');
  });

  it.each([
    ['INVITE', true],
    ['UPDATE', true],
    ['REFER', true],
    ['INFO', false],
    ['BYE', false],
  ])('%s has a Contact: %s', (method, has) => {
    const { bench, dialogId } = confirmed();
    bench.request({ method, dialogId });
    expect(bench.one().headers.has('contact')).toBe(has);
  });

  it('follow a loose route', () => {
    const { bench, dialogId } = confirmed(undefined, [
      'Record-Route: <sip:127.0.0.1:7001;lr>, <sip:127.0.0.1:7002;lr>',
    ]);
    bench.request({ method: 'BYE', dialogId });
    const [bye] = bench.sent();
    expect(bye?.message).toMatchObject({ uri: `sip:bob@127.0.0.1:${PEER_PORT}` });
    expect(bye?.message.headers.all('route')).toEqual(['<sip:127.0.0.1:7001;lr>', '<sip:127.0.0.1:7002;lr>']);
    expect(bye?.target).toMatchObject({ port: 7001 });
  });

  it('follow a strict route', () => {
    const { bench, dialogId } = confirmed(undefined, [
      'Record-Route: <sip:127.0.0.1:7001>, <sip:127.0.0.1:7002;lr>, <sip:127.0.0.1:7003;lr>',
    ]);
    bench.request({ method: 'BYE', dialogId });
    const [bye] = bench.sent();
    expect(bye?.message).toMatchObject({ uri: 'sip:127.0.0.1:7001' });
    expect(bye?.message.headers.all('route')).toEqual([
      '<sip:127.0.0.1:7002;lr>',
      '<sip:127.0.0.1:7003;lr>',
      `<sip:bob@127.0.0.1:${PEER_PORT}>`,
    ]);
    expect(bye?.target).toMatchObject({ port: 7001 });
  });

  it('go to the source when the Contact is elsewhere (behind NAT)', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'INVITE' }).replace(`bob@127.0.0.1:${PEER_PORT}`, 'bob@10.9.8.7:5060'));
    const result = bench.respond(bench.user.take()[0]?.transactionId ?? '', 200, [], sdp());
    bench.sent();
    bench.request({ method: 'BYE', dialogId: result.ok ? result.dialogId : '' });
    const [bye] = bench.sent();
    expect(bye?.message).toMatchObject({ uri: 'sip:bob@10.9.8.7:5060' });
    expect(bye?.target).toEqual({ protocol: 'udp', address: '127.0.0.1', port: PEER_PORT });
  });
});

describe('reliable provisional responses (RFC 3262)', () => {
  function reliable() {
    const made = ringing(undefined, ['Supported: timer, 100rel']);
    const result = made.bench.respond(made.txn, 183, [['Require', '100rel']], sdp());
    if (!result.ok) throw new Error(result.reason);
    const progress = made.bench.one();
    return {
      ...made,
      progress,
      dialogId: result.dialogId,
      toTag: tag(progress, 'to'),
      rseq: progress.headers.get('rseq'),
    };
  }

  it('have RSeq and Contact, and are repeated until the PRACK, which the application answers', () => {
    const { bench, progress, rseq, toTag, dialogId } = reliable();
    expect(progress.headers.get('contact')).toBe('<sip:127.0.0.1:5060>');
    expect(Number(rseq)).toBeGreaterThan(0);
    bench.clock.advance(1500);
    expect(bench.wire()).toEqual(['183', '183']);
    bench.receive(peerRequest({ method: 'PRACK', toTag, cseq: 2, headers: [`RAck: ${rseq} 1 INVITE`] }));
    const [prack] = bench.user.take();
    expect(prack).toMatchObject({ dialogId, message: { method: 'PRACK' } });
    bench.respond(prack?.transactionId ?? '', 200);
    expect(bench.wire()).toEqual(['200']);
    bench.clock.advance(60_000);
    expect(bench.wire()).toEqual([]);
  });

  it('a PRACK that fits none: 481', () => {
    const { bench, rseq, toTag } = reliable();
    bench.receive(peerRequest({ method: 'PRACK', toTag, cseq: 2, headers: [`RAck: ${Number(rseq) + 1} 1 INVITE`] }));
    bench.receive(peerRequest({ method: 'PRACK', toTag, cseq: 3 }));
    expect(bench.wire()).toEqual(['481', '481']);
    expect(bench.user.take()).toEqual([]);
  });

  const prackOf = (rseq: string | undefined, toTag: string, cseq: number) =>
    peerRequest({ method: 'PRACK', toTag, cseq, headers: [`RAck: ${rseq} 1 INVITE`] });

  it('go one at a time: the next waits for the PRACK, and is numbered one up', () => {
    const { bench, txn, rseq, toTag } = reliable();
    expect(bench.respond(txn, 180, [['Require', '100rel']])).toMatchObject({ ok: true });
    bench.clock.advance(600);
    expect(bench.wire()).toEqual(['183']);
    bench.receive(prackOf(rseq, toTag, 2));
    const next = bench.one();
    expect(next).toMatchObject({ status: 180 });
    expect(Number(next.headers.get('rseq'))).toBe(Number(rseq) + 1);
    expect(bench.user.seen()).toEqual(['PRACK']);
    bench.clock.advance(600);
    expect(bench.wire()).toEqual(['180']);
    bench.receive(prackOf(String(Number(rseq) + 1), toTag, 3));
    bench.clock.advance(60_000);
    expect(bench.wire()).toEqual([]);
  });

  it('an unreliable one need not wait', () => {
    const { bench, txn } = reliable();
    bench.respond(txn, 180);
    expect(bench.wire()).toEqual(['180']);
  });

  it('a 200 waits for the PRACK of a description, and is acknowledged as ever', () => {
    const { bench, txn, rseq, toTag } = reliable();
    expect(bench.respond(txn, 200, [], sdp())).toMatchObject({ ok: true });
    expect(bench.respond(txn, 486)).toMatchObject({ ok: true });
    bench.clock.advance(600);
    expect(bench.wire()).toEqual(['183']);
    bench.receive(prackOf(rseq, toTag, 2));
    expect(bench.wire()).toEqual(['200']);
    bench.receive(peerRequest({ method: 'ACK', toTag }));
    expect(bench.user.seen()).toEqual(['PRACK', 'ACK']);
    bench.clock.advance(60_000);
    expect(bench.wire()).toEqual([]);
  });

  it('a 200 does not wait for the PRACK of one without a description', () => {
    const { bench, txn } = ringing(undefined, ['Supported: 100rel']);
    bench.respond(txn, 180, [['Require', '100rel']]);
    bench.respond(txn, 200, [], sdp());
    expect(bench.wire()).toEqual(['180', '200']);
    bench.clock.advance(400);
    expect(bench.wire()).toEqual([]);
  });

  it('never acknowledged: 504 after 32 s, and the dialog is gone', () => {
    const { bench, txn } = reliable();
    bench.respond(txn, 200, [], sdp());
    bench.clock.advance(32_000);
    expect(bench.wire()).toEqual([...Array(6).fill('183'), '504']);
    expect(bench.core.counts.dialogs).toBe(0);
    bench.clock.advance(64_000);
    expect(bench.core.counts.transactions).toBe(0);
  });

  it('a CANCEL ends them, and what has waited is not sent', () => {
    const { bench, txn, rseq, toTag } = reliable();
    bench.respond(txn, 200, [], sdp());
    bench.receive(peerRequest({ method: 'CANCEL', branch: 'z9hG4bK-inv' }));
    expect(bench.wire()).toEqual(['200', '487']);
    bench.receive(prackOf(rseq, toTag, 2));
    expect(bench.wire()).toEqual(['481']);
  });

  it('end with the final response', () => {
    const { bench, txn } = reliable();
    bench.respond(txn, 486);
    bench.clock.advance(60_000);
    expect(bench.wire().filter((what) => what === '183')).toEqual([]);
  });

  it('are refused when the caller does not support them', () => {
    const { bench, txn } = ringing();
    expect(bench.respond(txn, 183, [['Require', '100rel']])).toEqual({
      ok: false,
      reason: 'Remote endpoint does not support 100rel',
    });
  });
});

describe('session timers (RFC 4028)', () => {
  const asks = ['Supported: timer', 'Session-Expires: 120;refresher=uac'];

  it('a caller that refreshes by itself is held to it', () => {
    const { bench, ok, toTag, dialogId } = confirmed(undefined, asks);
    expect(ok.headers.get('session-expires')).toBe('120;refresher=uac');
    bench.clock.advance(80_000);
    bench.receive(peerRequest({ method: 'UPDATE', toTag, cseq: 2, headers: asks }));
    bench.respond(bench.user.take()[0]?.transactionId ?? '', 200);
    bench.wire();
    bench.clock.advance(87_999);
    expect(bench.wire()).toEqual([]);
    bench.clock.advance(1);
    const bye = bench.one();
    expect(bye.headers.get('reason')).toContain('Session timer expired');
    expect(bench.user.take()).toMatchObject([{ source: 'application', transactionId: 'unsolicited', dialogId }]);
  });

  it('a short interval ends by its last third, not 32 s before its end', () => {
    const { bench } = confirmed(undefined, ['Session-Expires: 90;refresher=uac']);
    bench.clock.advance(59_999);
    expect(bench.wire()).toEqual([]);
    bench.clock.advance(1);
    expect(bench.wire()).toEqual(['BYE']);
  });

  it('is not started for a caller that leaves it open who refreshes', () => {
    const { bench, ok } = confirmed(undefined, ['Session-Expires: 120']);
    expect(ok.headers.has('session-expires')).toBe(false);
    bench.clock.advance(600_000);
    expect(bench.wire()).toEqual([]);
  });

  it.each(['INVITE', 'UPDATE'])('%s with a shorter interval than 90 s: 422', (method) => {
    const { bench, toTag } = confirmed();
    bench.receive(peerRequest({ method, toTag, cseq: 2, headers: ['Session-Expires: 89;refresher=uac'] }));
    const refusal = bench.sent().at(-1)?.message;
    expect(refusal).toMatchObject({ status: 422 });
    expect(refusal?.headers.get('min-se')).toBe('90');
    expect(bench.user.take()).toEqual([]);
  });

  describe('a caller that leaves the refreshing to us', () => {
    const leaves = ['Supported: timer', 'Session-Expires: 120;refresher=uas'];
    const refreshing = () => {
      const call = confirmed(undefined, leaves);
      call.bench.clock.advance(60_000);
      return { ...call, refresh: call.bench.one() };
    };

    it('gets the same description again after half of the interval; the server ACKs', () => {
      const { bench, ok, refresh } = refreshing();
      expect(ok.headers.get('session-expires')).toBe('120;refresher=uas');
      expect(refresh).toMatchObject({ method: 'INVITE', body: sdp() });
      expect(refresh.headers.get('session-expires')).toBe('120;refresher=uac');
      bench.receive(peerResponse(refresh, 200, { body: sdp(), headers: ['Session-Expires: 120;refresher=uac'] }));
      expect(bench.wire()).toEqual(['ACK']);
      expect(bench.user.take()).toEqual([]);
      bench.clock.advance(60_000);
      expect(bench.wire()).toEqual(['INVITE']);
    });

    it('is asked again when both ask at once (491)', () => {
      const { bench, refresh } = refreshing();
      bench.receive(peerResponse(refresh, 491));
      expect(bench.wire()).toEqual(['ACK']);
      bench.clock.advance(2_500);
      expect(bench.wire()).toEqual(['INVITE']);
    });

    it.each([481, 408])('has gone when it answers %d: BYE, shown to the application', (status) => {
      const { bench, refresh, dialogId } = refreshing();
      bench.receive(peerResponse(refresh, status));
      expect(bench.wire()).toEqual(['ACK', 'BYE']);
      expect(bench.user.take()).toMatchObject([{ source: 'application', dialogId }]);
    });

    it('has gone when it answers nothing for 32 s', () => {
      const { bench } = refreshing();
      bench.clock.advance(32_000);
      expect(bench.wire().at(-1)).toBe('BYE');
      expect(bench.core.counts.dialogs).toBe(0);
    });

    it('keeps its call when it merely refuses', () => {
      const { bench, refresh } = refreshing();
      bench.receive(peerResponse(refresh, 488));
      expect(bench.wire()).toEqual(['ACK']);
      bench.clock.advance(300_000);
      expect(bench.core.counts.dialogs).toBe(1);
    });
  });

  it('the application may agree to something else than was asked for', () => {
    const { bench, txn, ...call } = ringing(undefined, asks);
    bench.respond(txn, 200, [['Session-Expires', '200;refresher=uas']], sdp());
    const ok = bench.one();
    bench.receive(peerRequest({ method: 'ACK', toTag: tag(ok, 'to') }));
    expect(call.invite).toContain('120;refresher=uac');
    bench.clock.advance(100_000);
    expect(bench.wire()).toEqual(['INVITE']);
  });

  it('leaves nothing behind when the call ends', () => {
    const { bench, toTag } = confirmed(undefined, asks);
    bench.receive(peerRequest({ method: 'BYE', toTag, cseq: 2 }));
    bench.respond(bench.user.take()[0]?.transactionId ?? '', 200);
    bench.clock.advance(64_000);
    expect(bench.clock.pendingCount).toBe(0);
  });
});

describe('requests outside a dialog', () => {
  it.each(['REGISTER', 'OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'INFO', 'PUBLISH'])(
    '%s: shown by route, answered, repeated',
    (method) => {
      const bench = new Bench();
      const request = peerRequest({ method });
      bench.receive(request);
      bench.receive(request);
      const events = bench.user.take();
      expect(events).toMatchObject([{ dialogId: '', receivedOn: { port: 5060 }, message: { method } }]);
      expect(bench.wire()).toEqual([]);
      expect(bench.respond(events[0]?.transactionId ?? '', 200)).toMatchObject({ ok: true, protocol: '' });
      bench.receive(request);
      expect(bench.wire()).toEqual(['200', '200']);
      bench.clock.advance(32_000);
      bench.receive(request);
      expect(bench.user.seen()).toEqual([method]);
    },
  );

  it.each([
    ['BYE', '481'],
    ['UPDATE', '481'],
    ['PRACK', '481'],
    ['REFER', '481'],
    ['FOOBAR', '501'],
  ])('%s: %s', (method, status) => {
    const bench = new Bench();
    bench.receive(peerRequest({ method }));
    expect(bench.wire()).toEqual([status]);
    expect(bench.user.take()).toEqual([]);
  });

  it('a stray ACK is dropped', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'ACK', toTag: 'x' }));
    expect(bench.wire()).toEqual([]);
    expect(bench.user.take()).toEqual([]);
  });

  it('the same Call-ID and branch with another CSeq is another request', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'REGISTER', branch: 'z9hG4bK-same', cseq: 1 }));
    bench.receive(peerRequest({ method: 'REGISTER', branch: 'z9hG4bK-same', cseq: 2 }));
    expect(bench.user.seen()).toEqual(['REGISTER', 'REGISTER']);
  });

  it('a peer of RFC 2543 has no magic cookie', () => {
    const bench = new Bench();
    const request = peerRequest({ method: 'OPTIONS', branch: '1' });
    bench.receive(request);
    bench.receive(request);
    bench.receive(peerRequest({ method: 'OPTIONS', branch: '1', fromTag: 'another' }));
    expect(bench.user.seen()).toEqual(['OPTIONS', 'OPTIONS']);
  });

  it('malformed: 400 to the source, nothing shown, counted', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'OPTIONS' }).replace('Content-Length: 0', 'Content-Length: 9'));
    expect(bench.one()).toMatchObject({ status: 400 });
    bench.receive('garbage');
    expect(bench.wire()).toEqual([]);
    expect(bench.core.counts.dropped).toBe(2);
    expect(bench.user.take()).toEqual([]);
  });
});

describe('two of one Call-ID', () => {
  it('forks of one call that both come here have dialogs of different names', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'INVITE', uri: 'sip:one@127.0.0.1' }));
    bench.receive(peerRequest({ method: 'INVITE', uri: 'sip:two@127.0.0.1' }));
    const ids = bench.user.take().map(({ transactionId }) => {
      const result = bench.respond(transactionId, 180);
      return result.ok ? result.dialogId : '';
    });
    expect(ids[0]).toBe('call-1;from-tag=peer');
    expect(ids[1]).toMatch(/^call-1;from-tag=peer;to-tag=/);
  });
});

describe('limits', () => {
  it('too many transactions: 503 with Retry-After, and room again later', () => {
    const bench = new Bench({ transactions: 2 });
    for (const callId of ['a', 'b', 'c']) bench.receive(peerRequest({ method: 'OPTIONS', callId }));
    expect(bench.one()).toMatchObject({ status: 503 });
    expect(bench.user.seen()).toHaveLength(2);
    expect(bench.log).toMatchObject([{ event: 'limit-reached', limit: 'transactions', value: 2 }]);
    bench.clock.advance(64_000);
    bench.receive(peerRequest({ method: 'OPTIONS', callId: 'd' }));
    expect(bench.user.seen()).toEqual(['OPTIONS']);
  });

  it('too many bytes in transactions: the same', () => {
    const bench = new Bench({ transactionBytes: 3_000 });
    const body = 'x'.repeat(1_000);
    const big = (callId: string) =>
      peerRequest({ method: 'MESSAGE', callId, headers: ['Content-Type: text/plain'], body });
    for (const callId of ['a', 'b', 'c']) bench.receive(big(callId));
    expect(bench.one()).toMatchObject({ status: 503 });
    expect(bench.user.seen()).toHaveLength(2);
    expect(bench.log).toMatchObject([{ event: 'limit-reached', limit: 'transactionBytes' }]);
    bench.clock.advance(64_000);
    bench.receive(big('d'));
    expect(bench.user.seen()).toEqual(['MESSAGE']);
  });

  it('transactions of both sides are counted together: the application is refused as well', () => {
    const bench = new Bench({ transactions: 1 });
    bench.receive(peerRequest({ method: 'OPTIONS' }));
    expect(bench.request({ method: 'OPTIONS' })).toEqual({
      ok: false,
      reason: 'Server error: too many transactions',
    });
    bench.clock.advance(64_000);
    expect(bench.request({ method: 'OPTIONS' })).toMatchObject({ ok: true });
    bench.receive(peerRequest({ method: 'OPTIONS', callId: 'other' }));
    expect(bench.wire()).toEqual(['OPTIONS', '503']);
  });

  it('too many dialogs: the application is refused', () => {
    const bench = new Bench({ dialogs: 1 });
    confirmed(bench);
    bench.receive(peerRequest({ method: 'INVITE', callId: 'second' }));
    const txn = bench.user.take()[0]?.transactionId ?? '';
    expect(bench.respond(txn, 180)).toMatchObject({ ok: false });
    expect(bench.respond(txn, 486)).toMatchObject({ ok: true });
  });

  it('nothing is left after a call', () => {
    const { bench, toTag } = confirmed();
    bench.receive(peerRequest({ method: 'BYE', toTag, cseq: 2 }));
    bench.respond(bench.user.take()[0]?.transactionId ?? '', 200);
    bench.clock.advance(200_000);
    expect(bench.core.counts).toMatchObject({ transactions: 0, dialogs: 0 });
    expect(bench.clock.pendingCount).toBe(0);
  });
});
