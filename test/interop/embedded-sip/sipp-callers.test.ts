import { EmbeddedSip } from 'embedded-sip';
import { describe } from 'vitest';
import { type Scope, test } from '../../support/scope.js';
import {
  acknowledges,
  asks,
  asksInside,
  confirms,
  established,
  expects,
  hangsUp,
  invites,
  pause,
  provisional,
  type Scenario,
  SDP,
  scenario,
  takes,
} from './support/scenario.js';
import { sipp } from './support/sipp.js';
import { type App, type Dialog, type Request, type Response, sdp, srfApp } from './support/srf-app.js';

type Handlers = Record<string, (request: Request, response: Response) => void>;

interface Case {
  readonly phone: Scenario;
  /** Whom it calls; alice, who is the application, unless given. */
  readonly service?: string;
  /** What the application does, beside answering calls. */
  readonly handlers?: (app: () => App) => Handlers;
  /** What it does in a call it has answered. */
  readonly inCall?: (call: Dialog) => void;
}

const answer = (request: Request, response: Response, status: number, options?: object): void => {
  response.send(status, { headers: { 'X-Method': request.method }, ...options });
};
const refused = (status: number): Step => [provisional, expects(status), acknowledges({ branchOf: 4 })].join('\n');
type Step = string;
const event = ['Event: presence'];

/** Tells the application that the phone is ready for it to do something. */
const ready = [asksInside('INFO', { cseq: 2 }), expects(200)].join('\n');
const whenReady = (act: (call: Dialog) => unknown) => (call: Dialog) => {
  call.on('info', (_request: Request, response: Response) => response.send(200, {}, () => void act(call)));
};

/** Calls of the application, from the phone's side. */
const calls: readonly Case[] = [
  { phone: scenario('is answered, and hangs up', established(), hangsUp(2)) },
  {
    phone: scenario(
      'makes no offer, and answers the one in the 200',
      asks('INVITE'),
      provisional,
      expects(200, { contains: 'm=audio' }),
      acknowledges({ body: SDP() }),
      hangsUp(2),
    ),
  },
  {
    phone: scenario(
      'hears early media, then the answer',
      invites(),
      expects(100, { optional: true }),
      expects(183, { contains: 'm=audio' }),
      expects(200),
      acknowledges(),
      hangsUp(2),
    ),
    handlers: (app) => ({
      invite: (request, response) => {
        response.send(183, { body: sdp() });
        void app().createUAS(request, response, { localSdp: sdp() });
      },
    }),
  },
  {
    phone: scenario(
      'PRACKs a reliable 183 before it is answered',
      invites({ headers: ['Supported: 100rel'] }),
      expects(100, { optional: true }),
      expects(183, { contains: 'Require: 100rel', keep: { rseq: 'RSeq' } }),
      asksInside('PRACK', { cseq: 2, headers: ['RAck: [$rseq] 1 INVITE'] }),
      expects(200, { contains: 'CSeq: 2 PRACK' }),
      expects(200, { contains: 'CSeq: 1 INVITE' }),
      acknowledges(),
      hangsUp(3),
    ),
    handlers: (app) => ({
      invite: (request, response) =>
        response.send(183, { headers: { Require: '100rel' }, body: sdp() }, undefined, () => {
          // The 200 to the PRACK goes first, so that SIPp meets them in this order.
          setTimeout(() => void app().createUAS(request, response, { localSdp: sdp() }), 50);
        }),
    }),
  },
  {
    phone: scenario(
      'is sent elsewhere',
      invites(),
      expects(100, { optional: true }),
      expects(302, { contains: 'Contact: <sip:bob@' }),
      acknowledges({ branchOf: 3 }),
    ),
    handlers: () => ({
      invite: (_request, response) => response.send(302, { headers: { Contact: '<sip:bob@127.0.0.1:9>' } }),
    }),
  },
  {
    phone: scenario(
      'is challenged, and comes again with credentials',
      invites(),
      expects(100, { optional: true }),
      expects(407, { contains: 'Proxy-Authenticate: Digest' }),
      acknowledges({ branchOf: 3 }),
      invites({ cseq: 2, headers: ['Proxy-Authorization: Digest username="u"'] }),
      provisional,
      expects(200),
      acknowledges({ cseq: 2 }),
      hangsUp(3),
    ),
    handlers: (app) => ({
      invite: (request, response) => {
        if (request.has('Proxy-Authorization')) void app().createUAS(request, response, { localSdp: sdp() });
        else response.send(407, { headers: { 'Proxy-Authenticate': 'Digest realm="r", nonce="n"' } });
      },
    }),
  },
  ...[404, 480, 488, 503, 600, 603].map((status) => ({
    phone: scenario(`is refused with ${status}, once`, invites(), refused(status), pause(700)),
    handlers: () => ({ invite: (_request: Request, response: Response) => response.send(status) }),
  })),
  {
    phone: scenario(
      'cancels too late, and has the call',
      invites(),
      provisional,
      expects(200),
      asks('CANCEL', { branchOf: 4 }),
      expects(481),
      acknowledges(),
      hangsUp(2),
    ),
  },
  {
    phone: scenario(
      'ends a call that it is not in: 481, and its own goes on',
      invites(),
      provisional,
      expects(200, { keep: { to: 'To' } }),
      acknowledges(),
      asksInside('BYE', { cseq: 2, to: '<sip:alice@127.0.0.1>;tag=wrong' }),
      expects(481),
      asksInside('INFO', { cseq: 3, to: '[$to]' }),
      expects(200),
      hangsUp(4),
    ),
    inCall: (call) => call.on('info', (request: Request, response: Response) => answer(request, response, 200)),
  },
  {
    phone: scenario(
      'counts backwards: 500',
      established({ cseq: 5 }).replaceAll('CSeq: 1 ACK', 'CSeq: 5 ACK'),
      asksInside('INFO', { cseq: 4 }),
      expects(500),
      hangsUp(6),
    ),
  },
  ...['INFO', 'MESSAGE', 'OPTIONS', 'UPDATE', 'NOTIFY', 'REFER'].map((method) => ({
    phone: scenario(
      `sends ${method} in the call, and is answered by the application`,
      established(),
      asksInside(method, {
        cseq: 2,
        headers: ['Event: refer', 'Refer-To: <sip:carol@127.0.0.1>', 'Subscription-State: active'],
        ...(method === 'MESSAGE' && { type: 'text/plain', body: ['hello'] }),
      }),
      expects(202, { contains: `X-Method: ${method}` }),
      hangsUp(3),
    ),
    inCall: (call: Dialog) =>
      call.on(method.toLowerCase(), (request: Request, response: Response) => answer(request, response, 202)),
  })),
  {
    phone: scenario(
      'transfers, and is told how it went',
      established(),
      asksInside('REFER', { cseq: 2, headers: ['Refer-To: <sip:carol@127.0.0.1>'] }),
      expects(202),
      takes('NOTIFY', { contains: 'SIP/2.0 100 Trying' }),
      confirms,
      takes('NOTIFY', { contains: 'terminated;reason=noresource' }),
      confirms,
      takes('BYE'),
      confirms,
    ),
    inCall: (call) =>
      call.on('refer', (request: Request, response: Response) => {
        answer(request, response, 202);
        const notify = (state: string, body: string) =>
          call.request({
            method: 'NOTIFY',
            headers: { Event: 'refer', 'Subscription-State': state, 'Content-Type': 'message/sipfrag' },
            body,
          });
        void notify('active', 'SIP/2.0 100 Trying')
          .then(() => notify('terminated;reason=noresource', 'SIP/2.0 200 OK'))
          .then(() => call.destroy());
      }),
  },
  {
    phone: scenario(
      'holds the call and takes it back',
      established(),
      asksInside('INVITE', { cseq: 2, body: SDP('sendonly') }),
      expects(100, { optional: true }),
      expects(200, { contains: 'a=recvonly' }),
      acknowledges({ cseq: 2 }),
      asksInside('INVITE', { cseq: 3, body: SDP() }),
      expects(100, { optional: true }),
      expects(200, { contains: 'a=sendrecv' }),
      acknowledges({ cseq: 3 }),
      hangsUp(4),
    ),
    inCall: (call) =>
      call.on('modify', (request: Request, response: Response) =>
        response.send(200, {
          body: sdp().replace('sendrecv', request.body.includes('sendonly') ? 'recvonly' : 'sendrecv'),
        }),
      ),
  },
  {
    phone: scenario(
      'changes the call without an offer, and answers in the ACK',
      established(),
      asksInside('INVITE', { cseq: 2 }),
      expects(100, { optional: true }),
      expects(200, { contains: 'm=audio' }),
      acknowledges({ cseq: 2, body: SDP() }),
      hangsUp(3),
    ),
    inCall: (call) => call.on('modify', (_request: Request, response: Response) => response.send(200, { body: sdp() })),
  },
  {
    phone: scenario(
      'is refused a change (488), and keeps the call',
      established(),
      asksInside('INVITE', { cseq: 2, body: SDP() }),
      expects(100, { optional: true }),
      expects(488),
      acknowledges({ cseq: 2, branchOf: 3 }),
      hangsUp(3),
    ),
    inCall: (call) => call.on('modify', (_request: Request, response: Response) => response.send(488)),
  },
  {
    phone: scenario(
      'has its call changed by the application',
      established(),
      ready,
      takes('INVITE', { contains: 'm=audio 4444' }),
      answers200WithSdp(),
      takes('ACK'),
      hangsUp(3),
    ),
    inCall: whenReady((call) => call.modify(sdp(4444))),
  },
  {
    phone: scenario(
      'is hung up on, with the reason',
      established(),
      ready,
      takes('BYE', { contains: 'Reason: Q.850;cause=16' }),
      confirms,
    ),
    inCall: whenReady((call) => call.destroy({ headers: { Reason: 'Q.850;cause=16' } })),
  },
  {
    phone: scenario(
      'refreshes its session, which names the refresher',
      established({ headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'] }),
      asksInside('UPDATE', { cseq: 2, headers: ['Session-Expires: 1800;refresher=uac'] }),
      expects(200, { contains: 'Session-Expires: 1800;refresher=uac' }),
      hangsUp(3),
    ),
    inCall: (call) => call.on('update', (_request: Request, response: Response) => response.send(200)),
  },
  {
    phone: scenario(
      'wants to refresh too often: 422',
      established(),
      asksInside('UPDATE', { cseq: 2, headers: ['Session-Expires: 30;refresher=uac'] }),
      expects(422, { contains: 'Min-SE: 90' }),
      hangsUp(3),
    ),
  },
];

function answers200WithSdp(): Step {
  return confirms.replace(
    'Content-Length: 0\n',
    `Content-Type: application/sdp\nContent-Length: [len]\n\n${SDP().join('\n')}`,
  );
}

/** Requests outside a call. */
const others: readonly Case[] = [
  ...['MESSAGE', 'PUBLISH', 'INFO', 'NOTIFY'].map((method) => ({
    phone: scenario(
      `sends ${method} without a call`,
      asks(method, { headers: [...event, 'Subscription-State: active'], type: 'text/plain', body: ['hello'] }),
      expects(200, { contains: `X-Method: ${method}` }),
    ),
    handlers: () => ({
      [method.toLowerCase()]: (request: Request, response: Response) => answer(request, response, 200),
    }),
  })),
  {
    phone: scenario(
      'subscribes, is notified, and unsubscribes',
      asks('SUBSCRIBE', { headers: [...event, 'Expires: 60'] }),
      expects(202),
      takes('NOTIFY', { contains: 'Subscription-State: active' }),
      confirms,
      asksInside('SUBSCRIBE', { cseq: 2, headers: [...event, 'Expires: 0'] }),
      expects(202),
    ),
    handlers: (app) => ({
      subscribe: (request, response) => {
        void app()
          .createUAS(request, response, { headers: { Expires: '60' } })
          .then((subscription) => {
            return subscription.request({
              method: 'NOTIFY',
              headers: { Event: 'presence', 'Subscription-State': 'active' },
            });
          });
      },
    }),
  },
  {
    phone: scenario(
      'refers without a call: 481',
      asks('REFER', { headers: ['Refer-To: <sip:carol@127.0.0.1>'] }),
      expects(481),
    ),
  },
  {
    phone: scenario(
      'has an unknown method: 501 and what is known',
      asks('DANCE'),
      expects(501, { contains: 'Allow: INVITE' }),
    ),
  },
  { phone: scenario('asks for what nobody serves: 503', asks('PUBLISH', { headers: event }), expects(503)) },
];

/** Calls of the numbers. */
const numbers: readonly Case[] = [
  {
    service: 'echo',
    phone: scenario(
      'holds echo: nothing is sent',
      established(),
      asksInside('INVITE', { cseq: 2, body: SDP('inactive') }),
      expects(100, { optional: true }),
      expects(200, { contains: 'a=inactive' }),
      acknowledges({ cseq: 2 }),
      hangsUp(3),
    ),
  },
  {
    service: 'echo',
    phone: scenario(
      'requires of echo what it cannot: 420',
      invites({ headers: ['Require: dancing'] }),
      provisional,
      expects(420, { contains: 'Unsupported: dancing' }),
      acknowledges({ branchOf: 4 }),
    ),
  },
  {
    service: 'echo',
    phone: scenario(
      'offers echo text: 415',
      invites({ type: 'text/plain', body: ['hello'] }),
      provisional,
      expects(415, { contains: 'Accept: application/sdp' }),
      acknowledges({ branchOf: 4 }),
    ),
  },
  {
    service: 'echo',
    phone: scenario(
      'offers echo SRTP alone: 488',
      invites({ body: SDP('sendrecv', 'RTP/SAVP') }),
      provisional,
      expects(488),
      acknowledges({ branchOf: 4 }),
    ),
  },
  {
    service: 'echo',
    phone: scenario('asks echo what it can', asks('OPTIONS'), expects(200, { contains: 'Accept: application/sdp' })),
  },
  {
    service: 'music',
    phone: scenario(
      'listens to music',
      invites(),
      expects(100, { optional: true }),
      expects(200, { contains: 'a=rtpmap:0 PCMU/8000' }),
      acknowledges(),
      pause(100),
      hangsUp(2),
    ),
  },
  {
    service: 'music',
    phone: scenario(
      'is offered the music it has',
      asks('INVITE'),
      expects(100, { optional: true }),
      expects(200, { contains: 'RTP/AVP 0 8' }),
      acknowledges({ body: SDP() }),
      hangsUp(2),
    ),
  },
  {
    service: 'busy',
    phone: scenario(
      'sends busy a MESSAGE: 405',
      asks('MESSAGE', { type: 'text/plain', body: ['hello'] }),
      expects(405, { contains: 'Allow: INVITE' }),
    ),
  },
];

async function run(
  scope: Scope,
  transport: string,
  { phone, service = 'alice', handlers, inCall }: Case,
): Promise<void> {
  const server = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
  scope.defer(() => server.close());
  let app: App | undefined;
  const here = (): App => {
    if (!app) throw new Error('the application is not there yet');
    return app;
  };
  app = await srfApp(scope, server, {
    invite: (request, response) => {
      void here().createUAS(request, response, { localSdp: sdp() }).then(inCall);
    },
    ...handlers?.(here),
  });
  const { done } = await sipp(scope, { scenario: phone, transport, service, port: server.sip.port });
  await done;
}

describe.each(['udp', 'tcp'])('a SIPp phone over %s that', (transport) => {
  const named = ({ phone, ...rest }: Case) => [phone.name, { phone, ...rest }] as const;
  test.for([...calls, ...others, ...numbers].map(named))('%s', ([, phone], { scope }) => run(scope, transport, phone));
});
