import { EmbeddedSip } from 'embedded-sip';
import { describe, expect } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { type Scope, test } from '../../support/scope.js';
import {
  answers,
  asksCaller,
  confirms,
  expects,
  picksUp,
  type Scenario,
  SDP,
  scenario,
  takes,
  takesInvite,
} from './support/scenario.js';
import { sipp } from './support/sipp.js';
import { type App, answerTo, type Dialog, type Request, type Response, sdp, srfApp } from './support/srf-app.js';

interface Parts {
  readonly app: App;
  readonly uri: string;
  /** What happened, in words. */
  readonly log: EventLog<string>;
}

interface Case {
  readonly phone: Scenario;
  /** What the application does; by default it calls, and hangs up when it is connected. */
  readonly acts?: (parts: Parts) => Promise<unknown>;
  /** What it has seen in the end. */
  readonly seen?: readonly string[];
}

const status = (error: { status?: number; message?: string }) => `failed ${error.status ?? error.message}`;

/** Calls the phone, with every provisional response in the log. */
const call = ({ app, uri, log }: Parts, options: object = {}): Promise<Dialog> =>
  app.createUAC(
    uri,
    { localSdp: sdp(), ...options },
    { cbProvisional: (response) => log.push(String(response.status)) },
  );

/** Calls a phone that refuses. */
const isRefused = (options?: object) => async (parts: Parts) =>
  call(parts, options).then(
    () => parts.log.push('connected'),
    (error) => parts.log.push(status(error)),
  );

/** Takes the phone's requests in the call, and lets it hang up. */
const takesPart =
  (...methods: readonly string[]) =>
  async (parts: Parts) => {
    const dialog = await call(parts);
    for (const method of methods) {
      dialog.on(method, (request: Request, response: Response) => {
        parts.log.push(`${request.method} ${request.body.trim()}`.trim());
        response.send(method === 'refer' ? 202 : 200, method === 'modify' ? { body: sdp(7000) } : {});
      });
    }
    dialog.on('destroy', () => parts.log.push('destroy'));
    await parts.log.find('the end', (what) => what === 'destroy');
  };

/** Sends one request in the call and hangs up. */
const sends = (options: { method: string; headers?: object; body?: string }) => async (parts: Parts) => {
  const dialog = await call(parts);
  const response = await dialog.request(options);
  parts.log.push(String(response.status));
  await dialog.destroy();
};

const endsByBye = [takes('BYE'), confirms].join('\n');
const hangsUp = (cseq: number): string => [asksCaller('BYE', { cseq }), expects(200)].join('\n');

const calls: readonly Case[] = [
  { phone: scenario('answers without ringing', picksUp, endsByBye) },
  {
    phone: scenario(
      'rings, announces early media, and answers',
      takesInvite(),
      answers('180 Ringing'),
      answers('183 Session Progress', { body: SDP() }),
      answers('200 OK', { body: SDP() }),
      takes('ACK'),
      endsByBye,
    ),
    seen: ['180', '183'],
  },
  {
    phone: scenario(
      'rings reliably, and is PRACKed',
      takesInvite({ contains: 'Supported: 100rel', keep: { via: 'Via', invite: 'CSeq' } }),
      answers('183 Session Progress', { headers: ['Require: 100rel', 'RSeq: 7'], body: SDP() }),
      takes('PRACK', { contains: 'RAck: 7 [0-9]+ INVITE' }),
      confirms,
      answers('200 OK', { inside: true, body: SDP() })
        .replace('[last_Via:]', 'Via:[$via]')
        .replace('[last_CSeq:]', 'CSeq:[$invite]'),
      takes('ACK'),
      endsByBye,
    ),
    acts: async (parts) => (await call(parts, { headers: { Supported: '100rel' } })).destroy(),
    seen: ['183'],
  },
  {
    phone: scenario(
      'is given no offer, makes one, and gets its answer in the ACK',
      takesInvite({ lacks: 'm=audio' }),
      answers('200 OK', { body: SDP() }),
      takes('ACK', { contains: 'm=audio 4321' }),
      endsByBye,
    ),
    acts: async ({ app, uri }) => {
      const held = (await app.createUAC(uri, { noAck: true })) as unknown as { ack(sdp: string): Promise<Dialog> };
      await (await held.ack(sdp(4321))).destroy();
    },
  },
  ...[404, 480, 486, 488, 503, 603].map((code) => ({
    phone: scenario(`refuses with ${code}, and gets its ACK`, takesInvite(), answers(`${code} No`), takes('ACK')),
    acts: isRefused(),
    seen: [`failed ${code}`],
  })),
  {
    phone: scenario(
      'sends the caller elsewhere',
      takesInvite(),
      answers('302 Moved', { headers: ['Contact: <sip:carol@127.0.0.1:9>'] }).replace(/Contact: <sip:sipp.*\n/, ''),
      takes('ACK'),
    ),
    acts: async (parts) => call(parts).catch((error) => parts.log.push(`${error.status} ${error.res.get('Contact')}`)),
    seen: ['302 <sip:carol@127.0.0.1:9>'],
  },
  {
    phone: scenario(
      'wants credentials, and gets them',
      takesInvite({ lacks: 'Authorization' }),
      answers('401 Unauthorized', { headers: ['WWW-Authenticate: Digest realm="sipp", nonce="n", qop="auth"'] }),
      takes('ACK'),
      takes('INVITE', { contains: 'Authorization: Digest .*realm="sipp"' }),
      answers('200 OK', { body: SDP() }),
      takes('ACK'),
      endsByBye,
    ),
    acts: async (parts) => (await call(parts, { auth: { username: 'u', password: 'p' } })).destroy(),
  },
  {
    phone: scenario(
      'hangs up with a reason',
      picksUp,
      asksCaller('BYE', { headers: ['Reason: Q.850;cause=16'] }),
      expects(200),
    ),
    acts: async (parts) => {
      const dialog = await call(parts);
      dialog.on('destroy', (bye: Request) => parts.log.push(bye.get('Reason')));
      await parts.log.find('the reason', (what) => what.startsWith('Q.850'));
    },
    seen: ['Q.850;cause=16'],
  },
  ...['INFO', 'MESSAGE', 'OPTIONS', 'UPDATE', 'NOTIFY', 'REFER'].map((method) => ({
    phone: scenario(
      `sends ${method} in the call, and is answered by the application`,
      picksUp,
      asksCaller(method, {
        headers: ['Event: refer', 'Subscription-State: active', 'Refer-To: <sip:carol@127.0.0.1>'],
        ...(method === 'MESSAGE' && { type: 'text/plain', body: ['hello'] }),
      }),
      expects(method === 'REFER' ? 202 : 200),
      hangsUp(2),
    ),
    acts: takesPart(method.toLowerCase()),
    seen: [method === 'MESSAGE' ? 'MESSAGE hello' : method, 'destroy'],
  })),
  ...['INFO', 'MESSAGE', 'OPTIONS', 'UPDATE', 'NOTIFY', 'REFER'].map((method) => ({
    phone: scenario(
      `is sent ${method} in the call`,
      picksUp,
      takes(method, { contains: 'X-Sono: yes' }),
      confirms,
      endsByBye,
    ),
    acts: sends({
      method,
      headers: { 'X-Sono': 'yes', Event: 'refer', 'Refer-To': '<sip:x@y>', 'Content-Type': 'text/plain' },
      body: 'hello',
    }),
    seen: ['200'],
  })),
  {
    phone: scenario(
      'changes the call',
      picksUp,
      asksCaller('INVITE', { body: SDP('sendonly') }),
      expects(100, { optional: true }),
      expects(200, { contains: 'm=audio 7000' }),
      asksCaller('ACK'),
      hangsUp(2),
    ),
    acts: takesPart('modify'),
    seen: [`INVITE ${'v=0'}`, 'destroy'],
  },
  {
    phone: scenario(
      'has its call changed',
      picksUp,
      takes('INVITE', { contains: 'm=audio 4444' }),
      answers('200 OK', { inside: true, body: SDP() }),
      takes('ACK'),
      endsByBye,
    ),
    acts: async (parts) => {
      const dialog = await call(parts);
      await dialog.modify(sdp(4444));
      await dialog.destroy();
    },
  },
  {
    phone: scenario(
      'refuses a change that meets its own (491), and keeps the call',
      picksUp,
      takes('INVITE'),
      answers('491 Request Pending', { inside: true }),
      takes('ACK'),
      endsByBye,
    ),
    acts: async (parts) => {
      const dialog = await call(parts);
      await dialog.modify(sdp(4444)).catch((error) => parts.log.push(status(error)));
      await dialog.destroy();
    },
    seen: ['failed 491'],
  },
  {
    phone: scenario(
      'answers while it is cancelled, and is hung up on',
      takesInvite(),
      answers('180 Ringing'),
      takes('CANCEL'),
      answers('200 OK'),
      answers('200 OK', { body: SDP() }).replace('[last_CSeq:]', 'CSeq: [cseq] INVITE'),
      takes('ACK'),
      takes('BYE', { contains: 'Reason: .*cancel race' }),
      confirms,
    ),
    acts: async ({ app, uri, log }) => {
      let invite: Request | undefined;
      const dialog = await app.createUAC(
        uri,
        { localSdp: sdp() },
        {
          cbRequest: (_error, request) => {
            invite = request;
          },
          cbProvisional: () => invite?.cancel(),
        },
      );
      dialog.on('destroy', () => log.push('destroy'));
      await log.find('the end', (what) => what === 'destroy');
    },
    seen: ['destroy'],
  },
  {
    phone: scenario(
      'refuses the BYE (481), and the call is over all the same',
      picksUp,
      takes('BYE'),
      answers('481 Call/Transaction Does Not Exist', { inside: true }),
    ),
  },
];

const others: readonly Case[] = ['OPTIONS', 'MESSAGE', 'NOTIFY', 'INFO', 'PUBLISH'].map((method) => ({
  phone: scenario(`is sent ${method} without a call`, takes(method), answers('200 OK')),
  acts: async ({ app, uri, log }: Parts) => {
    const headers = { 'Content-Type': 'text/plain', Event: 'presence', 'Subscription-State': 'active' };
    log.push(String((await answerTo(app, uri, { method, headers, body: 'hello' })).status));
  },
  seen: ['200'],
}));

const hangsUpWhenConnected = async (parts: Parts) => (await call(parts)).destroy();

async function run(scope: Scope, transport: string, { phone, acts = hangsUpWhenConnected, seen = [] }: Case) {
  const server = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
  scope.defer(() => server.close());
  const callee = await sipp(scope, { scenario: phone, transport });
  const app = await srfApp(scope, server);
  const log = new EventLog<string>('application');
  await acts({ app, uri: `sip:bob@127.0.0.1:${callee.port};transport=${transport}`, log });
  await callee.done;
  expect(log.all.map((what) => what.replace(/\r\n.*/s, ''))).toEqual(seen);
}

describe.each(['udp', 'tcp'])('a SIPp phone over %s that is called and', (transport) => {
  const named = ({ phone, ...rest }: Case) => [phone.name, { phone, ...rest }] as const;
  test.for([...calls, ...others].map(named))('%s', ([, phone], { scope }) => run(scope, transport, phone));
});
