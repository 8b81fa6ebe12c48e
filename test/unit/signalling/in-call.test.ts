import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionDescription } from '../../../plugin/call/session-description.js';
import { authorize, readChallenge } from '../../../plugin/signalling/drachtio/digest.js';
import type { SipFrame } from './support/control-server.js';
import { credentials, FarEnd, farSdp, offer } from './support/far-end.js';

let far: FarEnd;
afterEach(() => far.close());

const held: SessionDescription = { ...offer, media: offer.media.map((media) => ({ ...media, direction: 'sendonly' })) };

describe('a re-INVITE of ours', () => {
  it('that the far end accepts is confirmed and told', async () => {
    far = await FarEnd.answered();
    far.call.change(held);
    const again = await far.next(/^INVITE/);
    expect(again.dialog).toBe('call-1;from-tag=ours');
    expect(again.text).toMatch(/^a=sendonly\r?$/m);
    far.reply(again, '200 OK', farSdp('recvonly'));
    await far.next(/^ACK/);
    expect((await far.event('changed')).answer.media[0]?.direction).toBe('recvonly');
  });

  it('that collides waits 2.1 to 4 s, as the side that made the Call-ID, and is given up after five times', async () => {
    far = await FarEnd.answered();
    far.call.change(held);
    for (let attempt = 1; attempt <= 5; attempt++) {
      far.reply(await far.next(/^INVITE/), '491 Request Pending');
      // drachtio-srf acknowledges what the server has acknowledged already.
      while (far.timers.size === 0 && attempt < 5) await new Promise(setImmediate);
      const before = far.server.frames.length;
      far.timers.advance(2_090);
      await new Promise(setImmediate);
      expect(far.server.frames.length).toBe(before);
      far.timers.advance(1_910);
    }
    expect((await far.event('unchanged')).reason).toBe('491 Request Pending');
  });

  it('keeps the session id, and counts its version up with each change', async () => {
    far = await FarEnd.answered();
    const origins: (string | undefined)[] = [];
    const first = far.server.frames[0]?.text ?? '';
    origins.push(/^o=- (.*) IN/m.exec(first)?.[1]);
    for (const description of [held, held, offer]) {
      far.call.change(description);
      const again = await far.next(/^INVITE/);
      origins.push(/^o=- (.*) IN/m.exec(again.text)?.[1]);
      far.reply(again, '200 OK', farSdp());
      await far.next(/^ACK/);
      await far.event('changed', far.events.length - 1);
    }
    const id = origins[0]?.split(' ')[0];
    expect(origins).toEqual([`${id} 1`, `${id} 2`, `${id} 2`, `${id} 3`]);
  });

  it.each(['481 Call/Transaction Does Not Exist', '408 Request Timeout'])(
    'answered %s ends the call',
    async (status) => {
      far = await FarEnd.answered();
      far.call.change(held);
      far.reply(await far.next(/^INVITE/), status);
      expect((await far.event('ended')).termination.reason).toBe(`${status} to a re-INVITE`);
      await far.next(/^BYE/);
      expect(far.timers.size).toBe(0);
    },
  );
});

describe('an offer of the far end', () => {
  it('is told, and answered once; a second one meanwhile gets 500 with Retry-After', async () => {
    far = await FarEnd.answered();
    far.send('INVITE', farSdp('sendonly'));
    expect((await far.event('offered')).offer?.media[0]?.direction).toBe('sendonly');
    const second = await far.request('UPDATE', farSdp());
    expect(second.startLine).toContain('500');
    expect(second.header('Retry-After')).not.toBe('');
    far.call.acceptChange(held);
    expect((await far.next(/^SIP/)).startLine).toContain('200');
    far.call.acceptChange(held);
    far.call.refuseChange(488);
    const options = await far.request('OPTIONS');
    expect(options.header('Allow')).toContain('UPDATE');
  });

  it('while ours is pending gets 491', async () => {
    far = await FarEnd.answered();
    far.call.change(held);
    const ours = await far.next(/^INVITE/);
    expect((await far.request('INVITE', farSdp())).startLine).toContain('491');
    far.reply(ours, '200 OK', farSdp('recvonly'));
    await far.event('changed');
  });

  it('that is none gets ours; the answer comes in the ACK, and before it there is no other', async () => {
    far = await FarEnd.answered();
    far.send('INVITE');
    expect(await far.event('offered')).toEqual({ type: 'offered' });
    far.call.acceptChange(offer);
    expect((await far.next(/^SIP/)).text).toMatch(/^m=audio 4000/m);
    expect((await far.request('INVITE', farSdp())).startLine).toContain('500');
    far.send('ACK', farSdp('inactive'));
    expect((await far.event('described')).answer.media[0]?.direction).toBe('inactive');
  });
});

describe('a session timer', () => {
  it('that is ours is refreshed at half its time by UPDATE, where the far end allows it', async () => {
    far = await FarEnd.answered('Session-Expires: 200;refresher=uac', 'Allow: INVITE, UPDATE');
    far.timers.advance(100_000);
    const update = await far.next(/^UPDATE/);
    expect(update.header('Session-Expires')).toBe('200;refresher=uac');
    far.reply(update, '200 OK', '', 'Session-Expires: 200;refresher=uac');
    // Without the refresh it would have expired by then.
    await new Promise((resolve) => setTimeout(resolve, 50));
    far.timers.advance(99_000);
    expect(far.events.map(({ type }) => type)).toEqual(['answered']);
    far.timers.advance(1_000);
    await far.next(/^UPDATE/);
  });

  it('is refreshed by a re-INVITE with the same description elsewhere', async () => {
    far = await FarEnd.answered('Session-Expires: 200;refresher=uac');
    far.timers.advance(100_000);
    const again = await far.next(/^INVITE/);
    expect(again.text.split('\r\n\r\n')[1]).toBe(far.server.frames[0]?.text.split('\r\n\r\n')[1]);
    far.reply(again, '200 OK', farSdp(), 'Session-Expires: 200;refresher=uac');
    await far.next(/^ACK/);
    await far.event('described');
  });

  it('that the far end does not refresh ends the call with BYE, 32 s or a third before its end', async () => {
    far = await FarEnd.answered('Session-Expires: 90;refresher=uas');
    far.timers.advance(59_999);
    expect(far.events).toHaveLength(1);
    far.timers.advance(1);
    expect((await far.event('ended')).termination.reason).toBe('the far end has not refreshed the session');
    expect((await far.next(/^BYE/)).header('Reason')).toContain('not refreshed');
  });

  it('begins anew with each refresh of the far end', async () => {
    far = await FarEnd.answered('Session-Expires: 90;refresher=uas');
    far.timers.advance(50_000);
    const answer = await far.request('UPDATE', '', 'Session-Expires: 90;refresher=uac', 'Supported: timer');
    expect(answer.header('Session-Expires')).toBe('90;refresher=uac');
    expect(answer.header('Require')).toBe('timer');
    far.timers.advance(59_000);
    expect(far.events).toHaveLength(1);
    far.timers.advance(1_000);
    await far.event('ended');
  });

  it.each(['481 Gone', '408 Request Timeout'])('whose refresh is answered %s ends the call', async (status) => {
    far = await FarEnd.answered('Session-Expires: 200', 'Allow: UPDATE');
    far.timers.advance(100_000);
    far.reply(await far.next(/^UPDATE/), status);
    await far.event('ended');
    await far.next(/^BYE/);
  });

  it('that nobody wants is none', async () => {
    far = await FarEnd.answered();
    expect(far.timers.size).toBe(0);
  });
});

describe('a transfer', () => {
  it('that the far end accepts and never reports on has failed after three minutes', async () => {
    far = await FarEnd.answered();
    far.call.transfer('sip:carol@example.com');
    far.reply(await far.next(/^REFER/), '202 Accepted');
    while (far.timers.size === 0) await new Promise(setImmediate);
    far.timers.advance(180_000);
    expect((await far.event('transfer-failed')).reason).toMatch(/does not tell/);
  });

  it('whose subscription ends without an outcome has failed', async () => {
    far = await FarEnd.answered();
    far.call.transfer('sip:carol@example.com');
    far.reply(await far.next(/^REFER/), '202 Accepted');
    const headers = ['Event: refer', 'Subscription-State: terminated;reason=timeout', 'Content-Type: message/sipfrag'];
    expect((await far.request('NOTIFY', 'SIP/2.0 100 Trying\r\n', ...headers)).startLine).toContain('200');
    await far.event('transfer-failed');
  });

  it('is told by a NOTIFY only where there is one', async () => {
    far = await FarEnd.answered();
    const answer = await far.request('NOTIFY', 'SIP/2.0 200 OK\r\n', 'Event: refer', 'Subscription-State: active');
    expect(answer.startLine).toContain('481');
  });

  it('of the far end is one at a time: 491', async () => {
    far = await FarEnd.answered();
    far.send(
      'REFER',
      '',
      'Refer-To: <sip:carol@example.com?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>',
      'Referred-By: <sip:b@x>',
    );
    expect((await far.event('referred')).referral).toEqual({
      uri: 'sip:carol@example.com',
      replaces: 'a@b;to-tag=1;from-tag=2',
      referredBy: '<sip:b@x>',
    });
    expect((await far.request('REFER', '', 'Refer-To: <sip:dave@example.com>')).startLine).toContain('491');
    far.call.acceptReferral();
    expect((await far.next(/^SIP/)).startLine).toContain('202');
  });
});

describe('keys by INFO', () => {
  it('go out one after the other, each when the last was confirmed and let go', async () => {
    far = await FarEnd.answered();
    far.call.sendDtmf('12', 100);
    const first = await far.next(/^INFO/);
    expect(first.text).toMatch(/Signal=1\r\nDuration=100\r\n$/);
    far.timers.advance(1_000);
    await new Promise(setImmediate);
    expect(far.server.frames.at(-1)).toBe(first);
    far.reply(first, '200 OK');
    expect((await far.next(/^INFO/)).text).toMatch(/Signal=2/);
  });

  it('go on behind one that is refused, and end with the call', async () => {
    far = await FarEnd.answered();
    far.call.sendDtmf('123', 100);
    far.reply(await far.next(/^INFO/), '415 Unsupported Media Type');
    far.timers.advance(150);
    await far.next(/^INFO/);
    expect((await far.request('BYE')).startLine).toContain('200');
    await far.event('ended');
    expect(far.timers.size).toBe(0);
  });
});

describe('a call whose connection to the server was lost', () => {
  /** Loses the connection, and waits for the next. */
  async function lose(): Promise<void> {
    const up = new Promise((resolve) => far.connection.once('up', resolve));
    far.server.drop();
    await up;
  }

  it('asks the far end whether it is there, now and every 30 s, and ends when it is not', async () => {
    far = await FarEnd.answered();
    await lose();
    far.reply(await far.next(/^OPTIONS/), '200 OK');
    far.timers.advance(30_000);
    expect(far.events.map(({ type }) => type)).toEqual(['answered']);
    far.reply(await far.next(/^OPTIONS/), '481 Call/Transaction Does Not Exist');
    expect((await far.event('ended')).termination).toMatchObject({ result: 'completed' });
    expect(far.timers.size).toBe(0);
  });

  it('ends when the server does not know it any more', async () => {
    far = await FarEnd.answered();
    await lose();
    const { id } = await far.next(/^OPTIONS/);
    far.server.write(`x|response|${id}|NOK|Server error: unable to find dialog for dialog id provided`);
    await far.event('ended');
  });

  it('is asked for nothing while it was not lost', async () => {
    far = await FarEnd.answered();
    expect(far.timers.size).toBe(0);
    expect(far.server.frames.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['INVITE', 'ACK']);
  });
});

describe('a request that a server on the way challenges', () => {
  const challenge = 'Digest realm="trunk", nonce="n1", algorithm=MD5, qop="auth"';

  it('is sent again with the credentials, for the Contact of the far end; the next has them at once', async () => {
    far = await FarEnd.answered();
    far.call.change(held);
    far.reply(await far.next(/^INVITE/), '407 Proxy Authentication Required', '', `Proxy-Authenticate: ${challenge}`);
    const again = await far.next(/^INVITE/);
    const given = again.header('Proxy-Authorization');
    const cnonce = /cnonce="(\w+)"/.exec(given)?.[1] ?? '';
    const parsed = readChallenge(challenge);
    const request = { method: 'INVITE', uri: 'sip:b@192.0.2.7', count: 1, cnonce };
    expect(parsed && authorize(parsed, credentials, request)).toBe(given);
    far.reply(again, '200 OK', farSdp('recvonly'));
    await far.next(/^ACK/);
    far.call.bye('enough');
    expect((await far.next(/^BYE/)).header('Proxy-Authorization')).toContain('nc=00000002');
  });

  it('is not sent for ever: credentials that are refused are refused', async () => {
    far = await FarEnd.answered();
    far.call.change(held);
    for (let attempt = 0; attempt < 2; attempt++) {
      far.reply(await far.next(/^INVITE/), '407 No', '', `Proxy-Authenticate: ${challenge}`);
    }
    expect((await far.event('unchanged')).reason).toBe('407 No');
  });
});

describe('two BYEs that cross', () => {
  it('are both answered, and the call ends once', async () => {
    far = await FarEnd.answered();
    far.call.bye('enough');
    const ours = await far.next(/^BYE/);
    expect((await far.request('BYE')).startLine).toContain('200');
    far.reply(ours, '481 Call/Transaction Does Not Exist');
    await far.event('ended');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(far.events.map(({ type }) => type)).toEqual(['answered', 'ended']);
  });
});

describe('the answer of a call', () => {
  let ack: SipFrame;

  beforeEach(async () => {
    far = await FarEnd.called();
    far.server.confirmsAcks = false;
    far.reply(await far.next(/^INVITE/), '200 OK', farSdp());
    ack = await far.next(/^ACK/);
    expect(far.events).toEqual([]);
  });

  it('is told when its ACK has gone: a phone may drop what it is sent before', async () => {
    far.server.confirmAck(ack);
    await far.event('answered');
  });

  it('is told before the hanging up that overtakes it', async () => {
    await far.request('BYE');
    far.server.confirmAck(ack);
    await far.request('OPTIONS');
    expect(far.events.map(({ type }) => type)).toEqual(['answered', 'ended']);
  });

  it('is told when the server is lost', async () => {
    far.server.drop();
    await far.event('answered');
  });
});

describe('nothing is left behind', () => {
  const early = async (status: string) => {
    far = await FarEnd.called();
    const invite = await far.next(/^INVITE/);
    far.reply(invite, '180 Ringing');
    await far.event('provisional');
    expect(far.connection.dialogs.size).toBe(1);
    if (status !== '') far.reply(invite, status, status.startsWith('2') ? farSdp() : '');
  };

  it('by a call that was answered and hung up', async () => {
    await early('200 OK');
    await far.event('answered');
    expect(far.connection.dialogs.size).toBe(1);
    far.send('BYE');
    await far.event('ended');
    expect([far.connection.dialogs.size, far.timers.size]).toEqual([0, 0]);
  });

  it('by a call that was refused', async () => {
    await early('486 Busy Here');
    await far.event('failed');
    expect([far.connection.dialogs.size, far.timers.size]).toEqual([0, 0]);
  });

  it('by a call that rang when the connection was lost', async () => {
    await early('');
    far.server.drop();
    expect((await far.event('failed')).termination.result).toBe('signalling-failed');
    expect([far.connection.dialogs.size, far.timers.size]).toEqual([0, 0]);
  });
});

describe('a reliable provisional response', () => {
  it('is acknowledged once; one out of order is not', async () => {
    far = await FarEnd.called();
    const invite = await far.next(/^INVITE/);
    far.reply(invite, '183 Session Progress', farSdp(), 'Require: 100rel', 'RSeq: 5');
    expect((await far.next(/^PRACK/)).header('RAck')).toBe('5 7 INVITE');
    await far.event('early');
    const again = (rseq: number) => {
      const status = ['SIP/2.0 180 Ringing', 'From: <sip:a@127.0.0.1>;tag=ours', 'To: <sip:b@127.0.0.1>;tag=theirs'];
      const text = [...status, 'Call-ID: call-1', 'CSeq: 7 INVITE', `RSeq: ${rseq}`, 'Content-Length: 0', '', ''];
      far.server.write(far.server.received(`t${invite.id}`, 'call-1;from-tag=ours', text.join('\r\n')));
    };
    again(5);
    again(7);
    again(6);
    expect((await far.next(/^PRACK/)).header('RAck')).toBe('6 7 INVITE');
  });
});
