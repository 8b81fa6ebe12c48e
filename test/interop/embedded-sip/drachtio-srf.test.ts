import { once as onceEvent } from 'node:events';
import { EmbeddedSip, type EmbeddedSipOptions, ListenError, type SipLogEvent } from 'embedded-sip';
import { describe, expect } from 'vitest';
import { EventLog } from '../../support/event-log.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from '../../unit/sip/support/fake-clock.js';
import { RawControl, SilentPeer } from './support/raw.js';
import {
  type App,
  answerTo,
  type Dialog,
  deferred,
  once,
  type Request,
  type Response,
  sdp,
  srfApp,
} from './support/srf-app.js';

async function start(scope: Scope, options: Partial<EmbeddedSipOptions> = {}): Promise<EmbeddedSip> {
  const server = await EmbeddedSip.start({ host: '127.0.0.1', port: 0, ...options });
  scope.defer(() => server.close());
  return server;
}

/** What drachtio-srf makes of a proxied request. */
interface ProxyResult {
  readonly connected: boolean;
  readonly responses: readonly { readonly msgs: readonly { readonly status: number }[] }[];
}

interface Proxied {
  proxy(options: object): Promise<ProxyResult>;
}

type Handlers = Record<string, (request: Request, response: Response) => void>;

/** Two servers, an application at each: what one sends the other gets over the wire. */
async function pair(scope: Scope, transport: string, handlers: Handlers) {
  const [near, far] = [await start(scope), await start(scope)];
  const caller = await srfApp(scope, near);
  const callee = await srfApp(scope, far, handlers);
  return { near, far, caller, callee, uri: `sip:bob@127.0.0.1:${far.sip.port};transport=${transport}` };
}

/** A callee that answers at once and hands its dialog out. */
function answering(options: object = { localSdp: sdp(5000) }) {
  const dialog = deferred<Dialog>();
  let app: App | undefined;
  const invite = (request: Request, response: Response) => {
    app?.createUAS(request, response, options).then(dialog.resolve, () => undefined);
  };
  return {
    invite,
    dialog: dialog.promise,
    by: (callee: App) => {
      app = callee;
    },
  };
}

async function call(scope: Scope, transport: string, options: object = { localSdp: sdp(4000) }) {
  const callee = answering();
  const parts = await pair(scope, transport, { invite: callee.invite });
  callee.by(parts.callee);
  const uac = await parts.caller.createUAC(parts.uri, options);
  return { ...parts, uac, uas: await callee.dialog };
}

/** What a promise is rejected with. */
async function failure(promise: Promise<unknown>): Promise<{ status?: number; reason?: string; message?: string }> {
  return promise.then(
    () => {
      throw new Error('was not rejected');
    },
    (error: object) => error,
  );
}

describe.each(['udp', 'tcp'])('over %s', (transport) => {
  test('a call, both descriptions, and BYE by the caller', async ({ scope }) => {
    const { uac, uas } = await call(scope, transport);
    expect(uac.remote.sdp).toBe(sdp(5000));
    expect(uas.remote.sdp).toBe(sdp(4000));
    expect(uac.sip).toEqual({ callId: uas.sip.callId, localTag: uas.sip.remoteTag, remoteTag: uas.sip.localTag });
    const ended = once(uas, 'destroy', (request: Request) => request.method);
    await uac.destroy();
    expect(await ended).toBe('BYE');
  });

  test('BYE by the callee', async ({ scope }) => {
    const { uac, uas } = await call(scope, transport);
    const ended = once(uac, 'destroy', (request: Request) => request.get('X-Why'));
    await uas.destroy({ headers: { 'X-Why': 'enough' } });
    expect(await ended).toBe('enough');
  });

  test('BYE from both sides at once: both dialogs end', async ({ scope }) => {
    const { uac, uas } = await call(scope, transport);
    await Promise.allSettled([uac.destroy(), uas.destroy()]);
    const gone = await failure(uac.request({ method: 'INFO' }));
    expect(gone.message).toContain('unable to find dialog');
  });

  test('the request as the callee sees it', async ({ scope }) => {
    const seen = deferred<Request>();
    const { caller, near, far, uri } = await pair(scope, transport, {
      invite: (request, response) => {
        seen.resolve(request);
        response.send(486);
      },
    });
    const headers = { From: '"\u2603 Jos\u00e9" <sip:jose@localhost>', 'X-Custom': 'v', subject: 'gr\u00fc\u00dfe' };
    expect(await failure(caller.createUAC(uri, { localSdp: sdp(), headers }))).toMatchObject({ status: 486 });
    const request = await seen.promise;
    expect(request).toMatchObject({ method: 'INVITE', uri, protocol: transport, source_address: '127.0.0.1' });
    expect(request.receivedOn).toBe(`127.0.0.1:${far.sip.port}`);
    expect(request.get('From')).toContain(`"\u2603 Jos\u00e9" <sip:jose@127.0.0.1:${near.sip.port}>;tag=`);
    expect(request.get('subject')).toBe('gr\u00fc\u00dfe');
    expect(request.get('X-Custom')).toBe('v');
    expect(request.body).toBe(sdp());
  });

  test('provisional responses, then an answer with another description', async ({ scope }) => {
    let app: App | undefined;
    const { caller, callee, uri } = await pair(scope, transport, {
      invite: (request, response) => {
        response.send(180, { headers: { 'X-Step': '1' } });
        response.send(183, { body: sdp(6000) });
        void app?.createUAS(request, response, { localSdp: sdp(6000) });
      },
    });
    app = callee;
    const progress: (number | string)[] = [];
    const uac = await caller.createUAC(
      uri,
      { localSdp: sdp() },
      { cbProvisional: ({ status, body }) => progress.push(status, body) },
    );
    expect(progress).toEqual([180, '', 183, sdp(6000)]);
    await uac.destroy();
  });

  test('CANCEL while it rings', async ({ scope }) => {
    const cancelled = deferred<string>();
    const { caller, uri } = await pair(scope, transport, {
      invite: (request, response) => {
        request.on('cancel', (cancel: Request) => cancelled.resolve(cancel.get('Reason')));
        response.send(180);
      },
    });
    let invite: Request | undefined;
    const outcome = failure(
      caller.createUAC(
        uri,
        { localSdp: sdp() },
        {
          cbRequest: (_error, request) => {
            invite = request;
          },
          cbProvisional: () => invite?.cancel({ headers: { Reason: 'SIP;cause=200;text="elsewhere"' } }),
        },
      ),
    );
    expect(await cancelled.promise).toBe('SIP;cause=200;text="elsewhere"');
    expect(await outcome).toMatchObject({ status: 487 });
  });

  test('CANCEL at once, before anything rings', async ({ scope }) => {
    const cancelled = deferred<boolean>();
    const { caller, uri } = await pair(scope, transport, {
      invite: (request) => request.on('cancel', () => cancelled.resolve(true)),
    });
    const outcome = failure(
      caller.createUAC(uri, { localSdp: sdp() }, { cbRequest: (_error, request) => request.cancel() }),
    );
    expect(await cancelled.promise).toBe(true);
    expect(await outcome).toMatchObject({ status: 487 });
  });

  test('re-INVITE from both sides', async ({ scope }) => {
    const { uac, uas } = await call(scope, transport);
    uas.on('modify', (request: Request, response: Response) =>
      response.send(200, { body: request.body.replace('97', '98') }),
    );
    uac.on('modify', (_request: Request, response: Response) => response.send(488));
    expect(await uac.modify(sdp(4444))).toBe(sdp(4444).replace('97', '98'));
    expect(await failure(uas.modify(sdp(5555)))).toMatchObject({ status: 488 });
    expect(await uac.modify(sdp(4446))).toBe(sdp(4446).replace('97', '98'));
    await uac.destroy();
  });

  test.for(['INFO', 'MESSAGE', 'OPTIONS', 'REFER', 'NOTIFY', 'UPDATE'])(
    '%s in the call, both ways',
    async (method, { scope }) => {
      const { uac, uas } = await call(scope, transport);
      const heard: string[] = [];
      for (const dialog of [uac, uas]) {
        dialog.on(method.toLowerCase(), (request: Request, response: Response) => {
          heard.push(request.get('X-N'));
          response.send(202, { headers: { 'X-Answer': request.get('X-N') } });
        });
      }
      const headers = { 'Content-Type': 'text/plain', Event: 'refer', 'Refer-To': '<sip:x@y>' };
      const first = await uac.request({ method, headers: { ...headers, 'X-N': '1' }, body: 'hello' });
      const second = await uas.request({ method, headers: { ...headers, 'X-N': '2' }, body: 'hello' });
      expect([first.status, first.get('X-Answer'), second.get('X-Answer'), ...heard]).toEqual([
        202,
        '1',
        '2',
        '1',
        '2',
      ]);
      await uac.destroy();
    },
  );

  test('a reliable provisional response and its PRACK', async ({ scope }) => {
    const acknowledged = deferred<string>();
    let app: App | undefined;
    const { caller, callee, uri } = await pair(scope, transport, {
      invite: (request, response) => {
        response.send(183, { headers: { Require: '100rel' }, body: sdp(6000) }, undefined, (prack) => {
          acknowledged.resolve(prack.get('RAck'));
          void app?.createUAS(request, response, { localSdp: sdp(6000) });
        });
      },
    });
    app = callee;
    const uac = await caller.createUAC(uri, { localSdp: sdp(), headers: { Supported: '100rel' } });
    expect(await acknowledged.promise).toMatch(/^\d+ \d+ INVITE$/);
    await uac.destroy();
  });

  test('REGISTER with a digest challenge that drachtio-srf answers', async ({ scope }) => {
    const { caller, far } = await pair(scope, transport, {
      register: (request, response) => {
        if (request.has('Authorization'))
          response.send(200, { headers: { Contact: `${request.get('Contact')};expires=60` } });
        else
          response.send(401, {
            headers: { 'WWW-Authenticate': 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"' },
          });
      },
    });
    const response = await answerTo(caller, `sip:127.0.0.1:${far.sip.port};transport=${transport}`, {
      method: 'REGISTER',
      headers: { From: '<sip:u@r>', To: '<sip:u@r>', Contact: '<sip:u@localhost>', Expires: '60' },
      auth: { username: 'u', password: 'p' },
    });
    expect(response.status).toBe(200);
    expect(response.get('contact')).toMatch(/^<sip:u@127\.0\.0\.1:\d+>;expires=60$/);
  });

  test.for(['OPTIONS', 'MESSAGE', 'PUBLISH', 'NOTIFY', 'INFO'])('%s outside a call', async (method, { scope }) => {
    const { caller, uri } = await pair(scope, transport, {
      [method.toLowerCase()]: (request: Request, response: Response) =>
        response.send(200, { headers: { 'X-Body': request.body } }),
    });
    const response = await answerTo(caller, uri, {
      method,
      headers: { 'Content-Type': 'text/plain' },
      body: 'hi \u2603',
    });
    expect([response.status, response.get('X-Body')]).toEqual([200, 'hi \u2603']);
  });

  test('a refused call has its reason', async ({ scope }) => {
    const { caller, uri } = await pair(scope, transport, {
      invite: (_request, response) => response.send(603, { headers: { Reason: 'Q.850;cause=21' } }),
    });
    const error = await failure(caller.createUAC(uri, { localSdp: sdp() }));
    expect(error).toMatchObject({ status: 603, reason: 'Decline' });
  });

  test('a redirected call is followed by drachtio-srf', async ({ scope }) => {
    const callee = answering();
    const target = await pair(scope, transport, { invite: callee.invite });
    callee.by(target.callee);
    const { caller, uri } = await pair(scope, transport, {
      invite: (_request, response) => response.send(302, { headers: { Contact: `<${target.uri}>` } }),
    });
    const uac = await caller.createUAC(uri, { localSdp: sdp(), followRedirects: true });
    expect(uac.remote.sdp).toBe(sdp(5000));
    await uac.destroy();
  });

  test('a call without an offer: the answer goes in the ACK', async ({ scope }) => {
    const callee = answering();
    const parts = await pair(scope, transport, { invite: callee.invite });
    callee.by(parts.callee);
    const held = (await parts.caller.createUAC(parts.uri, { noAck: true })) as unknown as {
      sdp: string;
      ack: (sdp: string) => Promise<Dialog>;
    };
    expect(held.sdp).toBe(sdp(5000));
    const uas = await callee.dialog;
    const answered = once(uas, 'ack', (ack: Request) => ack.body);
    const uac = await held.ack(sdp(4321));
    expect(await answered).toBe(sdp(4321));
    await uac.destroy();
  });

  test('a B2BUA in the middle', async ({ scope }) => {
    const callee = answering();
    const last = await pair(scope, transport, { invite: callee.invite });
    callee.by(last.callee);
    let app: App | undefined;
    const first = await pair(scope, transport, {
      invite: (request, response) =>
        void app?.createB2BUA(request, response, last.uri, { proxyRequestHeaders: ['X-Pass'] }),
    });
    app = first.callee;
    const uac = await first.caller.createUAC(first.uri, { localSdp: sdp(), headers: { 'X-Pass': 'through' } });
    expect(uac.remote.sdp).toBe(sdp(5000));
    await uac.destroy();
  });

  test.for([true, false])('a proxy that stays in the call or not: %s', async (remainInDialog, { scope }) => {
    const callee = answering();
    const last = await pair(scope, transport, { invite: callee.invite });
    callee.by(last.callee);
    const proxied = deferred<ProxyResult>();
    const { caller, uri } = await pair(scope, transport, {
      invite: (request) =>
        void (request as unknown as Proxied)
          .proxy({ destination: [`sip:nobody@127.0.0.1:${last.near.sip.port}`, last.uri], remainInDialog })
          .then(proxied.resolve),
    });
    const uac = await caller.createUAC(uri, { localSdp: sdp(4000) });
    expect(uac.remote.sdp).toBe(sdp(5000));
    const { connected, responses } = await proxied.promise;
    expect(connected).toBe(true);
    expect(responses.flatMap(({ msgs }) => msgs.map(({ status }) => status))).toEqual([503, 200]);
    const uas = await callee.dialog;
    const ended = once(uas, 'destroy', (bye: Request) => bye.get('Via').split(',').length);
    await uac.destroy();
    expect(await ended).toBe(remainInDialog ? 2 : 1);
  });

  test('an application that calls itself keeps its two dialogs apart', async ({ scope }) => {
    const server = await start(scope);
    const callee = answering();
    const app = await srfApp(scope, server, { invite: callee.invite });
    callee.by(app);
    const uac = await app.createUAC(`sip:me@127.0.0.1:${server.sip.port};transport=${transport}`, { localSdp: sdp() });
    const uas = await callee.dialog;
    expect(uac.id).not.toBe(uas.id);
    const heard = once(uas, 'info', (request: Request, response: Response) => {
      response.send(200);
      return request.body;
    });
    await uac.request({ method: 'INFO', headers: { 'Content-Type': 'text/plain' }, body: 'self' });
    expect(await heard).toBe('self');
    const ended = once(uac, 'destroy', () => true);
    await uas.destroy();
    expect(await ended).toBe(true);
  });

  test('nobody takes calls: 503', async ({ scope }) => {
    const { caller, uri } = await pair(scope, transport, {});
    expect(await failure(caller.createUAC(uri, { localSdp: sdp() }))).toMatchObject({ status: 503 });
  });

  test('nobody listens: 503 at once', async ({ scope }) => {
    const server = await start(scope);
    const app = await srfApp(scope, server);
    const unused = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
    await unused.close();
    const uri = `sip:x@127.0.0.1:${unused.sip.port};transport=${transport}`;
    expect(await failure(app.createUAC(uri, { localSdp: sdp() }))).toMatchObject({ status: 503 });
    expect((await answerTo(app, uri, { method: 'OPTIONS' })).status).toBe(503);
  });

  test('somebody listens and says nothing: 408 after 32 s', async ({ scope }) => {
    const clock = new FakeClock();
    const server = await start(scope, { clock });
    const app = await srfApp(scope, server);
    const peer = await SilentPeer.start(scope, transport);
    const outcome = failure(app.createUAC(`sip:x@127.0.0.1:${peer.port};transport=${transport}`, { localSdp: sdp() }));
    await peer.heard(/^INVITE /);
    clock.advance(32_000);
    expect(await outcome).toMatchObject({ status: 408, reason: 'Request Timeout' });
  });
});

describe('the control connection', () => {
  test('a wrong secret: not connected', async ({ scope }) => {
    const server = await start(scope);
    const control = await RawControl.connect(scope, server);
    control.send('1|authenticate|wrong|');
    expect(await control.payload()).toMatch(/\|response\|1\|NO\|incorrect secret$/);
    await control.closed();
  });

  test('the login answer, ping, and no work before it', async ({ scope }) => {
    const server = await start(scope);
    const address = `tcp/127.0.0.1:${server.sip.port},udp/127.0.0.1:${server.sip.port}`;
    const control = await RawControl.connect(scope, server);
    control.send(`7|authenticate|${server.control.secret}|`);
    const [, , , ...answer] = (await control.payload()).split('|');
    expect([answer[0], answer[1], answer[3]]).toEqual(['OK', address, address]);
    expect(answer[2]).toMatch(/^v\d+\.\d+\.\d+/);
    control.send('8|ping');
    expect(await control.payload()).toMatch(/\|response\|8\|OK\|pong$/);

    const stranger = await RawControl.connect(scope, server);
    stranger.send('1|route|invite');
    expect(await stranger.payload()).toMatch(/\|NO\|not authenticated$/);
    await stranger.closed();
  });

  test('a frame that is too long closes this connection with a reason, not the others', async ({ scope }) => {
    const log = new EventLog<SipLogEvent>('log');
    const server = await start(scope, { logger: (event) => log.push(event) });
    const app = await srfApp(scope, server);
    const control = await RawControl.connect(scope, server);
    control.write('12229#');
    await control.closed();
    await log.find('the reason', (event) => event.event === 'control-closed' && event.reason.includes('12228'));
    const busy = failure(app.createUAC(`sip:busy@127.0.0.1:${server.sip.port}`, { localSdp: sdp() }));
    expect(await busy).toMatchObject({ status: 486 });
  });

  test('what the drachtio server dies of: an answer, and the connection closed', async ({ scope }) => {
    const server = await start(scope);
    for (const frame of ['x|route', 'x|sip', 'x|sip|T|\r\nBYE sip:a SIP/2.0\r\n\r\n', 'x', 'x|nonsense']) {
      const control = await RawControl.login(scope, server);
      control.send(frame);
      expect(await control.payload()).toMatch(/\|response\|x\|NO\|/);
      await control.closed();
    }
  });

  test('requests take turns between the clients that want them', async ({ scope }) => {
    const [near, far] = [await start(scope), await start(scope)];
    const heard: string[] = [];
    for (const name of ['a', 'b']) {
      await srfApp(scope, far, {
        options: (_request, response) => {
          heard.push(name);
          response.send(200);
        },
      });
    }
    const caller = await srfApp(scope, near);
    for (let n = 0; n < 4; n++) await answerTo(caller, `sip:x@127.0.0.1:${far.sip.port}`, { method: 'OPTIONS' });
    expect([...heard].sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  test('the owner of a call goes: the peer gets 481, and new calls find the next client', async ({ scope }) => {
    const callee = answering();
    const { caller, callee: app, far, uri } = await pair(scope, 'udp', { invite: callee.invite });
    callee.by(app);
    const uac = await caller.createUAC(uri, { localSdp: sdp() });
    await callee.dialog;
    app.disconnect();
    await onceEvent(app, 'close');
    const next = await srfApp(scope, far, { invite: (_request, response) => response.send(480) });
    expect((await uac.request({ method: 'INFO' })).status).toBe(481);
    expect(await failure(caller.createUAC(uri, { localSdp: sdp() }))).toMatchObject({ status: 480 });
    expect(next).toBeDefined();
  });

  test('too many connections: the next is closed', async ({ scope }) => {
    const server = await start(scope, { limits: { controlConnections: 1 } });
    await RawControl.login(scope, server);
    await (await RawControl.connect(scope, server)).closed();
  });
});

describe('names and addresses', () => {
  test('localhost needs no name server; a name that is none gets 503 DNS Error', async ({ scope }) => {
    const server = await start(scope);
    const app = await srfApp(scope, server);
    const local = failure(app.createUAC(`sip:busy@localhost:${server.sip.port}`, { localSdp: sdp() }));
    expect(await local).toMatchObject({ status: 486 });
    const none = failure(app.createUAC('sip:x@does-not-exist.invalid', { localSdp: sdp() }));
    expect(await none).toMatchObject({ status: 503, reason: 'DNS Error' });
  });

  test('sips has no transport here: 416', async ({ scope }) => {
    const app = await srfApp(scope, await start(scope));
    expect(await failure(app.createUAC('sips:x@127.0.0.1', { localSdp: sdp() }))).toMatchObject({ status: 416 });
  });

  test('IPv6', async ({ scope }) => {
    const server = await start(scope, { host: '::1' });
    const app = await srfApp(scope, server);
    for (const transport of ['udp', 'tcp']) {
      const uri = `sip:echo@[::1]:${server.sip.port};transport=${transport}`;
      const uac = await app.createUAC(uri, { localSdp: sdp().replaceAll('IP4 127.0.0.1', 'IP6 ::1') });
      expect(uac.remote.sdp).toContain('c=IN IP6 ::1\r\n');
      await uac.destroy();
    }
  });

  test('a port that is taken is an error that says so', async ({ scope }) => {
    const server = await start(scope);
    const again = EmbeddedSip.start({ host: '127.0.0.1', port: server.sip.port });
    await expect(again).rejects.toBeInstanceOf(ListenError);
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE', address: '127.0.0.1', port: server.sip.port });
    const control = { port: server.control.port };
    const busyControl = EmbeddedSip.start({ host: '127.0.0.1', port: 0, control });
    await expect(busyControl).rejects.toMatchObject({ code: 'EADDRINUSE', port: server.control.port });
  });

  test('a port that only UDP holds is taken, too', async ({ scope }) => {
    const peer = await SilentPeer.start(scope, 'udp');
    await expect(EmbeddedSip.start({ host: '127.0.0.1', port: peer.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  test('can be closed twice, and its port used again', async () => {
    const first = await EmbeddedSip.start({ host: '127.0.0.1', port: 0 });
    await Promise.all([first.close(), first.close()]);
    const second = await EmbeddedSip.start({ host: '127.0.0.1', port: first.sip.port });
    expect(second.sip.port).toBe(first.sip.port);
    await second.close();
  });
});
