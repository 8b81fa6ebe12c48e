import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tortureMessages } from '../../wire/sip/torture-messages.js';
import { Bench, parsed, peerRequest, sdp } from './support/bench.js';

/** What the application is shown, and what goes to the sender. */
interface Outcome {
  readonly shown: readonly string[];
  readonly sent: readonly string[];
}

const shown = (method: string): Outcome => ({ shown: [method], sent: method === 'INVITE' ? ['100'] : [] });
const answered = (...sent: readonly string[]): Outcome => ({ shown: [], sent });
const dropped = answered();

/** What each message has to lead to, where the RFC leaves a choice the one that the drachtio server makes. */
const outcomes: Readonly<Record<string, Outcome>> = {
  // It has a To tag of no dialog here.
  wsinv: answered('100', '481'),
  intmeth: answered('501'),
  esc01: shown('INVITE'),
  escnull: shown('REGISTER'),
  // Escapes have no meaning in a method: it is not REGISTER.
  esc02: answered('501'),
  lwsdisp: shown('OPTIONS'),
  longreq: shown('INVITE'),
  dblreq: shown('REGISTER'),
  semiuri: shown('OPTIONS'),
  transports: shown('OPTIONS'),
  mpart01: shown('MESSAGE'),
  // Responses to nothing that was asked.
  unreason: dropped,
  noreason: dropped,
  badinv01: answered('400'),
  clerr: answered('400'),
  ncl: answered('400'),
  scalar02: answered('400'),
  scalarlg: dropped,
  quotbal: answered('400'),
  ltgtruri: answered('400'),
  lwsruri: answered('400'),
  lwsstart: answered('400'),
  trws: shown('OPTIONS'),
  // The header field in the URI has no effect; whether the user exists is for the application to say.
  escruri: shown('INVITE'),
  // Date is not looked at.
  baddate: shown('INVITE'),
  regbadct: answered('400'),
  badaspec: shown('OPTIONS'),
  baddn: answered('400'),
  badvers: answered('505'),
  mismatch01: answered('400'),
  mismatch02: answered('400'),
  bigcode: dropped,
  badbranch: shown('OPTIONS'),
  insuf: answered('400'),
  // 416, 420, 415, 404 and the challenge are the application's to send.
  unkscm: shown('OPTIONS'),
  novelsc: shown('OPTIONS'),
  unksm2: shown('REGISTER'),
  bext01: shown('OPTIONS'),
  invut: shown('INVITE'),
  regaut01: shown('REGISTER'),
  multi01: answered('400'),
  mcl01: answered('400'),
  bcast: dropped,
  // We are where it was going.
  zeromf: shown('OPTIONS'),
  cparam01: shown('REGISTER'),
  cparam02: shown('REGISTER'),
  regescrt: shown('REGISTER'),
  sdp01: shown('INVITE'),
  inv2543: shown('INVITE'),
};

function received(text: string) {
  const bench = new Bench();
  bench.receive(text);
  const sent = bench.texts().map((answer) => /^SIP\/2\.0 (\d{3}) /.exec(answer)?.[1]);
  return { shown: bench.user.seen(), sent };
}

const messageNamed = (name: string): string => {
  const found = tortureMessages.find((message) => message.name === name);
  if (!found) throw new Error(`no message ${name}`);
  return found.text;
};

describe('the torture messages of RFC 4475', () => {
  it('are all there', () => {
    expect(tortureMessages.map(({ name }) => name).sort()).toEqual(Object.keys(outcomes).sort());
    expect(tortureMessages).toHaveLength(49);
  });

  it.each(tortureMessages.map(({ section, name, what, text }) => [section, name, what, text] as const))(
    '%s %s: %s',
    (_section, name, _what, text) => expect(received(text)).toEqual(outcomes[name]),
  );

  it('wsinv means what it says for all its white space', () => {
    const message = parsed(messageNamed('wsinv'));
    expect(message).toMatchObject({
      method: 'INVITE',
      uri: 'sip:vivekg@chair-dnrc.example.com;unknownparam',
      cseq: { number: 9, method: 'INVITE' },
      via: { transport: 'udp', host: '192.0.2.2' },
      to: { uri: 'sip:vivekg@chair-dnrc.example.com' },
      from: { uri: 'sip:jdrosen@example.com', display: '"J Rosenberg \\\\\\""' },
    });
    expect(message.to.params.get('tag')).toBe('1918181833n');
    expect(message.via.params.get('branch')).toBe('390skdjuw');
    expect(message.headers.get('subject')).toBe('');
    expect(message.headers.get('newfangledheader')).toBe('newfangled value continued newfangled value');
    expect(message.headers.list('via')).toHaveLength(3);
  });

  it('intmeth and semiuri keep the odd parts of their URIs', () => {
    expect(parsed(messageNamed('intmeth')).from.params.get('tag')).toBe("_token~1'+`*%!-.");
    expect(parsed(messageNamed('semiuri'))).toMatchObject({ uri: 'sip:user;par=u%40example.net@example.com' });
  });

  it('dblreq, regescrt, cparam: what is a header parameter and what belongs to the URI', () => {
    const contact = (name: string) => parsed(messageNamed(name)).headers.list('contact');
    expect(contact('cparam01')).toEqual(['sip:+19725552222@gw1.example.net;unknownparam']);
    expect(contact('regescrt')).toEqual(['<sip:user@example.com?Route=%3Csip:sip.example.com%3E>']);
    expect(parsed(messageNamed('dblreq')).body).toBe('');
  });

  it('mpart01 reaches the application with every byte', () => {
    const bench = new Bench();
    const text = messageNamed('mpart01');
    bench.receive(text);
    const [event] = bench.user.take();
    expect(event?.text.slice(-text.length + text.indexOf('\r\n\r\n'))).toBe(text.slice(text.indexOf('\r\n\r\n')));
  });
});

describe('what is made of them by chance', () => {
  const start = () => {
    const bench = new Bench();
    bench.request({ method: 'INVITE' });
    bench.sent();
    return bench;
  };
  /** Bytes changed, runs repeated or taken out, messages cut and joined. */
  const damage = fc.oneof(
    fc.record({
      kind: fc.constant('change' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.nat(255),
    }),
    fc.record({
      kind: fc.constant('repeat' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(60),
    }),
    fc.record({
      kind: fc.constant('remove' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(60),
    }),
  );
  type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

  function damaged(text: string, changes: readonly Damage[]): string {
    let result = text;
    for (const change of changes) {
      const at = Math.floor(change.at * result.length);
      const [before, after] = [result.slice(0, at), result.slice(at)];
      if (change.kind === 'change') result = before + String.fromCharCode(change.byte) + after.slice(1);
      else if (change.kind === 'repeat') result = before + after.slice(0, change.length) + after;
      else result = before + after.slice(change.length);
    }
    return result;
  }

  /** Lines of text up to an empty one, and a body of the length that is announced. */
  function expectFramed(text: string): void {
    const [head = '', ...rest] = text.split('\r\n\r\n');
    expect(head.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(head).toMatch(/^(?:SIP\/2\.0 [1-6]\d\d [^\r]*|[^\s]+ \S+ SIP\/2\.0)\r\n/);
    expect(/\r\nContent-Length: (\d+)$/.exec(head)?.[1]).toBe(String(rest.join('\r\n\r\n').length));
  }

  it('never throws, is answered with whole messages only, and leaves nothing behind', () => {
    const pieces = fc.array(fc.tuple(fc.constantFrom(...tortureMessages), fc.array(damage, { maxLength: 5 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(pieces, fc.boolean(), (all, answer) => {
        const bench = start();
        for (const [message, changes] of all) {
          bench.receive(damaged(message.text, changes));
          for (const event of bench.user.take()) if (answer) bench.respond(event.transactionId, 200);
        }
        bench.clock.advance(400_000);
        for (const text of bench.texts()) expectFramed(text);
        expect(bench.core.counts).toMatchObject({ transactions: 0 });
      }),
      { numRuns: 1_000 },
    );
  });

  it('nor does a call whose messages come damaged and in any order', () => {
    const step = fc.record({
      method: fc.constantFrom('INVITE', 'ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE', 'INFO', 'REFER', 'OPTIONS'),
      inDialog: fc.boolean(),
      cseq: fc.nat(4),
      branch: fc.constantFrom('z9hG4bK-a', 'z9hG4bK-b', undefined),
      status: fc.constantFrom(undefined, 100, 180, 183, 200, 302, 486),
      changes: fc.array(damage, { maxLength: 2 }),
      pause: fc.constantFrom(0, 0, 0, 400, 5_000, 33_000),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 12 }), (steps) => {
        const bench = new Bench();
        bench.receive(
          peerRequest({ method: 'INVITE', branch: 'z9hG4bK-a', headers: ['Supported: 100rel'], body: sdp() }),
        );
        const [invite] = bench.user.take();
        bench.respond(invite?.transactionId ?? '', 183, [['Require', '100rel']]);
        const toTag = /^To: .*;tag=(\w+)\r$/m.exec(bench.texts().at(-1) ?? '')?.[1] ?? '';
        const ids = [invite?.transactionId ?? ''];
        for (const { method, inDialog, cseq, branch, status, changes, pause } of steps) {
          const request = { method, cseq, ...(inDialog && { toTag }), ...(branch !== undefined && { branch }) };
          bench.receive(damaged(peerRequest(request), changes));
          const last = bench.user.take().at(-1);
          if (last) ids.push(last.transactionId);
          if (status !== undefined) bench.respond(ids.at(-1) ?? '', status);
          if (status === 183) bench.request({ method: 'BYE', dialogId: last?.dialogId ?? '' });
          bench.clock.advance(pause);
        }
        // It may ring for as long as the application lets it.
        for (const id of ids) bench.respond(id, 480);
        bench.clock.advance(400_000);
        for (const text of bench.texts()) expectFramed(text);
        expect(bench.core.counts).toMatchObject({ transactions: 0 });
        expect(bench.core.counts.dialogs).toBeLessThanOrEqual(2);
      }),
      { numRuns: 1_000 },
    );
  });
});
