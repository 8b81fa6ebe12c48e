import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../plugin/embedded-sip/src/control/command.js';
import {
  answerText,
  eventText,
  sentRequestText,
  sentResponseText,
  timeOfDay,
} from '../../../plugin/embedded-sip/src/control/event-text.js';
import { parseMessage } from '../../../plugin/embedded-sip/src/message/parser.js';

describe('client frames', () => {
  it.each([
    ['1|authenticate|cymru|', { verb: 'authenticate', id: '1', secret: 'cymru' }],
    ['1|authenticate|cymru', { verb: 'authenticate', secret: 'cymru' }],
    ['|ping', { verb: 'ping', id: '' }],
    ['1|route|invite', { verb: 'route', method: 'invite' }],
    ['1|remove_route', { verb: 'remove_route' }],
    ['1|remove_route|invite', { verb: 'remove_route' }],
    ['1|proxy|a|b', { verb: 'invalid', reason: 'proxy with too few fields' }],
    [
      '1|proxy|T|remainInDialog|fullResponse|followRedirects|simultaneous|500ms|2s|sip:a|sip:b\r\nINVITE sip:a SIP/2.0\r\nX-P: 1\r\n\r\n',
      {
        ...{ verb: 'proxy', transactionId: 'T', fullResponse: true },
        options: {
          ...{ targets: ['sip:a', 'sip:b'], simultaneous: true, remainInDialog: true, followRedirects: true },
          ...{ provisionalMs: 500, finalMs: 2_000 },
        },
      },
    ],
    // As drachtio-srf writes it: unset times are the word "undefined" or nothing.
    [
      '1|proxy|T||||serial|undefined||sip:a\r\n',
      { fullResponse: false, options: { targets: ['sip:a'], simultaneous: false, remainInDialog: false } },
    ],
  ])('%s', (payload, command) => expect(parseCommand(payload)).toMatchObject(command));

  it('a new request, with its next hop', () => {
    const command = parseCommand(
      '1|sip|||sip:proxy;transport=tcp\r\nINVITE sip:a@b SIP/2.0\r\nX-A: 1\r\nno colon here\r\nSubject: a\r\n b\r\n\r\nv=0\r\n\r\nrest',
    );
    expect(command).toMatchObject({
      verb: 'request',
      request: { method: 'INVITE', uri: 'sip:a@b', nextHop: 'sip:proxy;transport=tcp', body: 'v=0\r\n\r\nrest' },
    });
    if (command.verb !== 'request') throw new Error('fixture');
    expect([...command.request.headers].map(({ name, value }) => `${name}=${value}`)).toEqual(['X-A=1', 'Subject=a b']);
    expect(command.request).not.toHaveProperty('dialogId');
    expect(command.request).not.toHaveProperty('transactionId');
  });

  it('a request in a dialog, a CANCEL, a response', () => {
    expect(parseCommand('1|sip|T|D\r\nBYE sip:placeholder SIP/2.0\r\n\r\n')).toMatchObject({
      request: { dialogId: 'D', method: 'BYE' },
    });
    expect(parseCommand('1|sip|T|\r\nCANCEL sip:a SIP/2.0\r\n\r\n')).toMatchObject({
      request: { transactionId: 'T', method: 'CANCEL' },
    });
    expect(parseCommand('1|sip|T|\r\nSIP/2.0 200 OK\r\nX: y\r\n\r\n')).toMatchObject({
      verb: 'respond',
      transactionId: 'T',
      response: { status: 200, reason: 'OK', body: '' },
    });
  });

  it('cannot smuggle a line break into a header', () => {
    const command = parseCommand('1|sip||\r\nINVITE sip:a SIP/2.0\r\nX-A: a\nRoute: <sip:evil>\rb\r\n\r\n');
    if (command.verb !== 'request') throw new Error('fixture');
    expect(command.request.headers.get('x-a')).toBe('a Route: <sip:evil> b');
  });

  // What the drachtio server dies of, or closes the connection for.
  it.each([
    ['x'],
    ['x|'],
    ['x|nonsense'],
    ['x|route'],
    ['x|authenticate'],
    ['x|sip'],
    ['x|sip|'],
    ['x|sip|T'],
    ['x|sip|T|\r\nBYE sip:a SIP/2.0\r\n\r\n'],
    ['x|sip|T|\r\nSIP/2.0\r\n\r\n'],
    ['x|sip|T|\r\nSIP/2.0 \r\n\r\n'],
    ['x|sip|T|\r\nSIP/2.0 999 X\r\n\r\n'],
    ['x|sip||\r\nSIP/2.0 200 OK\r\n\r\n'],
    ['x|sip||\r\n'],
  ])('%j is invalid', (payload) => expect(parseCommand(payload)).toMatchObject({ verb: 'invalid' }));

  it('a start line that is none is refused by name', () => {
    expect(parseCommand('x|sip||\r\nINVITE sip:a b SIP/2.0\r\n\r\n')).toEqual({
      verb: 'refused',
      id: 'x',
      reason: 'invalid request-uri: INVITE sip:a b SIP/2.0',
    });
  });

  it('are parsed whatever they are', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseCommand(`1|sip|${text}`).verb !== undefined));
  });
});

describe('server frames', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678) + 0.25;
  const id = /^[0-9a-f]{8}-[0-9a-f-]{27}\|/;
  const withoutId = (payload: string) => {
    expect(payload).toMatch(id);
    return payload.replace(id, '');
  };
  const text =
    'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n';
  const outcome = parseMessage(text, { lineBytes: 8192, headerCount: 9 });
  if (!outcome.ok) throw new Error('fixture');
  const event = {
    source: 'network',
    message: outcome.message,
    text: 'TEXT',
    bytes: 9,
    protocol: 'udp',
    address: '127.0.0.1',
    port: 15070,
    transactionId: 'T',
    dialogId: '',
  } as const;

  it('tells the time of day to the microsecond', () => expect(timeOfDay(now)).toBe('03:04:05.678250'));

  it.each([
    [
      'a request outside a dialog',
      { ...event, receivedOn: { address: '127.0.0.1', port: 5060 } },
      'T||127.0.0.1|5060|',
    ],
    ['a request in a dialog', { ...event, dialogId: 'D' }, 'T|D|'],
    ['a CANCEL before any answer', event, 'T||'],
  ] as const)('%s', (_what, shown, tail) => {
    expect(withoutId(eventText(shown, now))).toBe(`sip|network|9|udp|127.0.0.1|15070|03:04:05.678250|${tail}\r\nTEXT`);
  });

  it('an ACK has no protocol', () => {
    expect(withoutId(eventText({ ...event, protocol: '', dialogId: 'D' }, now))).toContain(
      'sip|network|9||127.0.0.1|15070|',
    );
  });

  it('answers', () => expect(withoutId(answerText('c', 'OK', 'pong'))).toBe('response|c|OK|pong'));

  const sent = {
    ok: true,
    text: 'TEXT',
    bytes: 4,
    protocol: 'tcp',
    address: '1.2.3.4',
    port: 5,
    transactionId: 'T',
    dialogId: 'D',
  } as const;
  it('a request was sent', () => {
    expect(withoutId(sentRequestText('c', sent, now))).toBe(
      'response|c|OK|application|4|tcp|1.2.3.4|5|03:04:05.678250|T|Msg sent:|\r\nTEXT',
    );
  });
  it('a response was sent', () => {
    expect(withoutId(sentResponseText('c', sent, now))).toBe(
      'response|c|OK|application|4|tcp|1.2.3.4|5|03:04:05.678250|T|D||Msg sent:|\r\nTEXT',
    );
  });
});
