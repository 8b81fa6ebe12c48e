import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../../plugin/embedded-sip/src/core/proxy/proxied-request.js';
import { Headers } from '../../../plugin/embedded-sip/src/message/headers.js';
import type { SipMessage } from '../../../plugin/embedded-sip/src/message/message.js';
import { Bench, PEER, PEER_PORT, peerRequest, peerResponse, SERVER, SERVER_PORT, sdp, tag } from './support/bench.js';

const A = `sip:a@${PEER}:16001`;
const B = `sip:b@${PEER}:16002`;

/** An INVITE, or another request, that the application passes on. */
function proxied(options: Partial<ProxyOptions> = {}, request: Partial<Parameters<typeof peerRequest>[0]> = {}) {
  const bench = new Bench();
  const invite = peerRequest({ method: 'INVITE', branch: 'z9hG4bK-inv', body: sdp(), ...request });
  bench.receive(invite);
  const [shown] = bench.user.take();
  bench.sent();
  const told: string[] = [];
  const refusal = bench.core.proxy(
    shown?.transactionId ?? '',
    {
      ...{ targets: [A], simultaneous: false, remainInDialog: false, followRedirects: false, headers: new Headers() },
      ...options,
    },
    { onFinal: (response) => told.push(String(response.status)), onDone: () => told.push('done') },
  );
  return { bench, invite, told, refusal, txn: shown?.transactionId ?? '' };
}

/** What was sent since the last look: to whom (the last digit of its port), and what. */
const wire = (bench: Bench) =>
  bench.sent().map(({ message, target }) => {
    const what = message.kind === 'request' ? message.method : message.status;
    return `${target.port === PEER_PORT ? 'caller' : target.port % 10} ${what}`;
  });

const to = (messages: { message: SipMessage; target: { port: number } }[], port: number): SipMessage => {
  const found = messages.find(({ target }) => target.port === port);
  if (!found) throw new Error(`nothing for ${port}`);
  return found.message;
};

const from = (port: number) => ({ remotePort: port });

describe('a request that is passed on (RFC 3261 section 16)', () => {
  it('goes to the target as it was, with our Via, one hop fewer and what the application adds', () => {
    const { bench } = proxied(
      {
        headers: new Headers([
          ['X-Proxy', 'yes'],
          ['Contact', '<sip:evil>'],
        ]),
      },
      { headers: ['X-Own: 1'] },
    );
    const forwarded = bench.one();
    expect(forwarded).toMatchObject({ method: 'INVITE', uri: A, body: sdp(), callId: 'call-1' });
    const [ours, theirs] = forwarded.headers.list('via');
    expect(ours).toMatch(/^SIP\/2\.0\/UDP 127\.0\.0\.1;rport;branch=z9hG4bK\w+$/);
    expect(theirs).toContain(`branch=z9hG4bK-inv;rport=${PEER_PORT}`);
    expect(forwarded.headers.all('max-forwards')).toEqual(['69']);
    expect([forwarded.headers.get('x-own'), forwarded.headers.get('x-proxy')]).toEqual(['1', 'yes']);
    expect(forwarded.headers.all('contact')).toEqual([`<sip:bob@${PEER}:${PEER_PORT}>`]);
    expect(forwarded.headers.has('record-route')).toBe(false);
    expect(tag(forwarded, 'to')).toBe('');
  });

  it("brings the target's responses back without our Via; 100 stays here", () => {
    const { bench, told } = proxied();
    const forwarded = bench.one();
    bench.receive(peerResponse(forwarded, 100), from(16001));
    bench.receive(peerResponse(forwarded, 180), from(16001));
    bench.receive(peerResponse(forwarded, 200, { body: sdp(), headers: ['X-Answer: 1'] }), from(16001));
    const [ringing, ok] = bench.sent().map(({ message }) => message);
    expect(ringing).toMatchObject({ status: 180 });
    expect(ok).toMatchObject({ status: 200, body: sdp() });
    expect(ok?.headers.list('via')).toHaveLength(1);
    expect([ok?.headers.get('x-answer'), ok && tag(ok, 'to')]).toEqual(['1', 'peer']);
    expect(told).toEqual(['200', 'done']);
    expect(bench.user.take()).toEqual([]);
  });

  it('leaves the 2xx to be repeated by the target, each of which goes back', () => {
    const { bench } = proxied();
    const forwarded = bench.one();
    const ok = peerResponse(forwarded, 200, { body: sdp() });
    bench.receive(ok, from(16001));
    bench.clock.advance(5_000);
    expect(wire(bench)).toEqual(['caller 200']);
    bench.receive(ok, from(16001));
    expect(wire(bench)).toEqual(['caller 200']);
  });

  it('repeats what the sender repeats, and the INVITE until it is answered', () => {
    const { bench, invite } = proxied();
    const forwarded = bench.one();
    bench.clock.advance(500);
    expect(wire(bench)).toEqual(['1 INVITE']);
    bench.receive(peerResponse(forwarded, 180), from(16001));
    bench.receive(invite);
    expect(wire(bench)).toEqual(['caller 180', 'caller 180']);
  });

  it('one after the other: the next when one refuses', () => {
    const { bench, told } = proxied({ targets: [A, B] });
    bench.receive(peerResponse(bench.one(), 486), from(16001));
    const sent = bench.sent();
    expect(sent.map(({ target }) => target.port)).toEqual([16001, 16002]);
    bench.receive(peerResponse(to(sent, 16002), 200), from(16002));
    expect(wire(bench)).toEqual(['caller 200']);
    expect(told).toEqual(['486', '200', 'done']);
  });

  it.each([
    [486, 404, 404],
    [302, 486, 302],
    [503, 486, 486],
    [603, 486, 603],
    [404, 600, 600],
  ])('all refuse, with %d and %d: the answer is %d, and its ACK stays here', (first, second, best) => {
    const { bench, told, invite } = proxied({ targets: [A, B] });
    bench.receive(peerResponse(bench.one(), first), from(16001));
    bench.receive(peerResponse(to(bench.sent(), 16002), second), from(16002));
    expect(wire(bench)).toEqual(['2 ACK', `caller ${best}`]);
    expect(told).toEqual([String(first), String(second), 'done']);
    bench.receive(invite.replaceAll('INVITE', 'ACK'));
    bench.clock.advance(40_000);
    expect(wire(bench)).toEqual([]);
    expect(bench.core.counts.transactions).toBe(0);
  });

  it('to all at once: the first to answer has it, the others are cancelled', () => {
    const { bench, told } = proxied({ targets: [A, B], simultaneous: true });
    const both = bench.sent();
    bench.receive(peerResponse(to(both, 16001), 180), from(16001));
    bench.receive(peerResponse(to(both, 16002), 200, { tag: 'b' }), from(16002));
    expect(wire(bench)).toEqual(['caller 180', 'caller 200', '1 CANCEL']);
    bench.receive(peerResponse(to(both, 16001), 487), from(16001));
    expect(wire(bench)).toEqual(['1 ACK']);
    expect(told).toEqual(['200', 'done']);
    bench.clock.advance(200_000);
    expect(bench.core.counts.transactions).toBe(0);
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('two answer: both 2xx go back, and the second is for the caller to end', () => {
    const { bench } = proxied({ targets: [A, B], simultaneous: true });
    const both = bench.sent();
    bench.receive(peerResponse(to(both, 16001), 200, { tag: 'a' }), from(16001));
    bench.receive(peerResponse(to(both, 16002), 200, { tag: 'b' }), from(16002));
    expect(bench.sent().map(({ message }) => tag(message, 'to'))).toEqual(['a', 'b']);
  });

  it('the caller cancels: answered here, and cancelled there', () => {
    const { bench, told } = proxied({ targets: [A, B] });
    const forwarded = bench.one();
    bench.receive(peerResponse(forwarded, 180), from(16001));
    bench.sent();
    bench.receive(peerRequest({ method: 'CANCEL', branch: 'z9hG4bK-inv' }));
    expect(wire(bench)).toEqual(['caller 200', 'caller 487', '1 CANCEL']);
    bench.receive(peerResponse(forwarded, 487), from(16001));
    expect(wire(bench)).toEqual(['1 ACK']);
    expect(told).toEqual(['487', 'done']);
    expect(bench.user.take()).toEqual([]);
  });

  it('the caller cancels before anything has come: the CANCEL waits for a response', () => {
    const { bench } = proxied();
    const forwarded = bench.one();
    bench.receive(peerRequest({ method: 'CANCEL', branch: 'z9hG4bK-inv' }));
    expect(wire(bench)).toEqual(['caller 200', 'caller 487']);
    bench.receive(peerResponse(forwarded, 100), from(16001));
    expect(wire(bench)).toEqual(['1 CANCEL']);
  });

  it('is redirected: followed, or passed on', () => {
    const redirection = { contact: null, headers: [`Contact: <${B}>, <${A}>`] };
    const followed = proxied({ followRedirects: true });
    followed.bench.receive(peerResponse(followed.bench.one(), 302, redirection), from(16001));
    expect(wire(followed.bench)).toEqual(['1 ACK', '2 INVITE']);
    const { bench } = proxied();
    bench.receive(peerResponse(bench.one(), 302, redirection), from(16001));
    expect(wire(bench)).toEqual(['1 ACK', 'caller 302']);
  });

  it.each([
    ['the first response', { provisionalMs: 500 }, 500],
    ['the final one', { finalMs: 700 }, 700],
  ])('has no patience for a target that is late with %s', (_what, patience, ms) => {
    const { bench, told } = proxied({ targets: [A, B], ...patience });
    const forwarded = bench.one();
    if ('finalMs' in patience) bench.receive(peerResponse(forwarded, 180), from(16001));
    bench.clock.advance(ms);
    const sent = wire(bench);
    expect(sent).toContain('2 INVITE');
    expect(sent.includes('1 CANCEL')).toBe('finalMs' in patience);
    bench.receive(peerResponse(forwarded, 487), from(16001));
    expect(told).toEqual(['487']);
  });

  it('nobody answers: 408', () => {
    const { bench, told } = proxied();
    bench.clock.advance(32_000);
    expect(wire(bench).at(-1)).toBe('caller 408');
    expect(told).toEqual(['done']);
  });

  it('nobody is there: 408 at once, or the next', () => {
    const { bench } = proxied({ targets: [A, 'sips:c@192.0.2.1', B] });
    bench.sent();
    bench.core.onUnreachable({ protocol: 'udp', address: PEER, port: 16001 });
    expect(wire(bench)).toEqual(['2 INVITE']);
  });

  it.each(['MESSAGE', 'REGISTER', 'OPTIONS'])('%s goes there and back', (method) => {
    const { bench, told } = proxied({}, { method, branch: 'z9hG4bK-other' });
    const forwarded = bench.one();
    expect(forwarded).toMatchObject({ method, uri: A });
    bench.receive(peerResponse(forwarded, 202), from(16001));
    expect(wire(bench)).toEqual(['caller 202']);
    expect(told).toEqual(['202', 'done']);
    bench.clock.advance(64_000);
    expect(bench.core.counts.transactions).toBe(0);
  });

  it('has no hop left: 483, and the application is told', () => {
    const bench = new Bench();
    bench.receive(peerRequest({ method: 'INVITE' }).replace('Max-Forwards: 70', 'Max-Forwards: 0'));
    bench.sent();
    const txn = bench.user.take()[0]?.transactionId ?? '';
    const options = { targets: [A], simultaneous: false, remainInDialog: false, followRedirects: false };
    const observer = { onFinal: () => undefined, onDone: () => undefined };
    expect(bench.core.proxy(txn, { ...options, headers: new Headers() }, observer)).toBe(
      'Rejected with 483 Too Many Hops due to Max-Forwards value of 0',
    );
    expect(bench.wire()).toEqual(['483']);
  });

  it('is not there any more, or has been answered: refused', () => {
    const options = { targets: [A], simultaneous: false, remainInDialog: false, followRedirects: false };
    const { bench, txn } = proxied();
    const again = () =>
      bench.core.proxy(
        txn,
        { ...options, headers: new Headers() },
        { onFinal: () => undefined, onDone: () => undefined },
      );
    expect(again()).toBe(`Unknown transaction id: ${txn}`);
    expect(bench.respond(txn, 200)).toMatchObject({ ok: false });
  });
});

describe('a call that stays with us', () => {
  const route = `Route: <sip:${SERVER}:${SERVER_PORT};lr>`;
  const inDialog = (method: string, cseq: number, headers: readonly string[] = [route]) =>
    peerRequest({ method, uri: A, toTag: 'peer', cseq, headers });

  function staying() {
    const call = proxied({ remainInDialog: true });
    const forwarded = call.bench.one();
    const recordRoute = forwarded.headers.get('record-route') ?? '';
    call.bench.receive(peerResponse(forwarded, 200, { headers: [`Record-Route: ${recordRoute}`] }), from(16001));
    const ok = call.bench.one();
    return { ...call, recordRoute, ok };
  }

  it('is recorded in the route', () => {
    const { recordRoute, ok } = staying();
    expect(recordRoute).toBe(`<sip:${SERVER}:${SERVER_PORT};lr>`);
    expect(ok.headers.get('record-route')).toBe(recordRoute);
  });

  it('has its ACK, its requests and their answers passed on', () => {
    const { bench } = staying();
    bench.receive(inDialog('ACK', 1));
    const ack = bench.one();
    expect(ack).toMatchObject({ method: 'ACK', uri: A });
    expect(ack.headers.has('route')).toBe(false);
    bench.receive(inDialog('INFO', 2));
    const info = bench.one();
    expect(info).toMatchObject({ method: 'INFO', uri: A, headers: expect.anything() });
    expect(info.headers.get('max-forwards')).toBe('69');
    bench.receive(peerResponse(info, 200), from(16001));
    expect(wire(bench)).toEqual(['caller 200']);
    expect(bench.user.take()).toEqual([]);
  });

  it('goes on to the next route where there is one', () => {
    const { bench } = staying();
    const further = `<sip:${PEER}:16002;lr>`;
    bench.receive(inDialog('BYE', 2, [`${route}, ${further}`]));
    const [bye] = bench.sent();
    expect(bye?.target.port).toBe(16002);
    expect(bye?.message.headers.get('route')).toBe(further);
  });

  it.each([
    ['a call of somebody else', (text: string) => text.replace('call-1', 'call-2')],
    ['a route that leads elsewhere', (text: string) => text.replace(route, 'Route: <sip:192.0.2.1;lr>')],
    ['no route', (text: string) => text.replace(`${route}\r\n`, '')],
  ])('does not make us a relay: %s', (_what, change) => {
    const { bench } = staying();
    bench.receive(change(inDialog('BYE', 2)));
    expect(wire(bench)).toEqual(['caller 481']);
    bench.receive(change(inDialog('ACK', 1)));
    expect(wire(bench)).toEqual([]);
  });
});

describe('targets and a caller in any order', () => {
  it('lead to one answer, one end told, and nothing left', () => {
    const step = fc.record({
      what: fc.constantFrom('response', 'response', 'response', 'cancel', 'again', 'unreachable'),
      target: fc.nat(2),
      status: fc.constantFrom(100, 180, 183, 200, 302, 404, 486, 487, 503, 603),
      // All within the 32 s in which the request again is the same request.
      pause: fc.constantFrom(0, 0, 100, 600, 2_000),
    });
    const options = fc.record({
      simultaneous: fc.boolean(),
      remainInDialog: fc.boolean(),
      followRedirects: fc.boolean(),
      method: fc.constantFrom('INVITE', 'INVITE', 'MESSAGE'),
      patience: fc.constantFrom({}, { provisionalMs: 500 }, { finalMs: 5_000 }),
    });
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 15 }), ({ method, patience, ...chosen }, steps) => {
        const targets = [A, B, `sip:c@${PEER}:16003`];
        const { bench, told, invite } = proxied({ targets, ...chosen, ...patience }, { method });
        const answers: number[] = [];
        const forwarded = new Map<number, SipMessage>();
        const look = () => {
          for (const { message, target } of bench.sent()) {
            if (message.kind === 'request' && message.method === method) forwarded.set(target.port, message);
            const { cseq } = message;
            const final = message.kind === 'response' && message.status >= 200 && cseq.method === method;
            if (final && target.port === PEER_PORT) answers.push(message.status);
          }
        };
        look();
        for (const { what, target, status, pause } of steps) {
          const port = 16001 + target;
          const request = forwarded.get(port);
          const contact = status === 302 ? `<sip:d@${PEER}:1600${4 + target}>` : undefined;
          if (what === 'cancel') bench.receive(peerRequest({ method: 'CANCEL', branch: 'z9hG4bK-inv' }));
          else if (what === 'again') bench.receive(invite);
          else if (what === 'unreachable') bench.core.onUnreachable({ protocol: 'udp', address: PEER, port });
          else if (request) bench.receive(peerResponse(request, status, contact ? { contact } : {}), from(port));
          look();
          bench.clock.advance(pause);
          look();
        }
        bench.clock.advance(600_000);
        look();
        expect(told.filter((what) => what === 'done')).toHaveLength(1);
        // Each 2xx goes back; everything else once, and then again only for a repeated request or a missing ACK.
        expect(new Set(answers.filter((status) => status >= 300)).size).toBeLessThanOrEqual(1);
        expect(answers.length).toBeGreaterThan(0);
        expect(bench.core.counts.transactions).toBe(0);
        expect(bench.clock.pendingCount).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });
});
