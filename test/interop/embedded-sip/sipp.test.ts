import { EmbeddedSip, type EmbeddedSipOptions } from 'embedded-sip';
import { describe, expect } from 'vitest';
import { type Scope, test } from '../../support/scope.js';
import { sipp } from './support/sipp.js';
import { type App, type Dialog, once, type Request, type Response, sdp, srfApp } from './support/srf-app.js';

async function start(scope: Scope, options: Partial<EmbeddedSipOptions> = {}): Promise<EmbeddedSip> {
  const server = await EmbeddedSip.start({ host: '127.0.0.1', port: 0, ...options });
  scope.defer(() => server.close());
  return server;
}

/** An application that answers calls with 180 and then `status`. */
async function answering(
  scope: Scope,
  server: EmbeddedSip,
  status = 200,
): Promise<{ app: App; calls: Dialog[]; seen: string[] }> {
  const calls: Dialog[] = [];
  const seen: string[] = [];
  const app: App = await srfApp(scope, server, {
    invite: (request: Request, response: Response) => {
      seen.push(request.method);
      request.on('cancel', () => seen.push('CANCEL'));
      response.send(180);
      if (status === 180) return;
      if (status !== 200) response.send(status);
      else
        app.createUAS(request, response, { localSdp: sdp() }).then(
          (call) => {
            calls.push(call);
            call.on('destroy', () => seen.push('BYE'));
          },
          () => undefined,
        );
    },
    register: (request: Request, response: Response) =>
      response.send(200, { headers: { Contact: `${request.get('Contact')};expires=60` } }),
    options: (_request: Request, response: Response) => response.send(200, { headers: { Allow: 'INVITE' } }),
  });
  return { app, calls, seen };
}

describe.each(['udp', 'tcp'])('a SIPp caller over %s', (transport) => {
  test.for([
    ['uac-call', 'alice', 200],
    ['uac-reinvite', 'alice', 200],
    ['uac-refused', 'alice', 486],
    ['uac-cancel', 'alice', 180],
    ['uac-register', 'alice', 200],
    ['uac-options', 'alice', 200],
    ['uac-stranger', 'alice', 200],
    ['uac-malformed', 'alice', 200],
    ['uac-call', 'echo', 200],
    ['uac-reinvite', 'echo', 200],
    ['uac-refused', 'busy', 200],
  ] as const)('%s to %s', async ([scenario, service, status], { scope }) => {
    const server = await start(scope);
    await answering(scope, server, status);
    const caller = await sipp(scope, { scenario, transport, service, port: server.sip.port });
    await caller.done;
  });

  test('nobody there to answer: 503 is not 486', async ({ scope }) => {
    const server = await start(scope);
    const caller = await sipp(scope, { scenario: 'uac-refused', transport, service: 'alice', port: server.sip.port });
    await expect(caller.done).rejects.toThrow('503');
  });

  test('a hundred calls, each seen once from INVITE to BYE', async ({ scope }) => {
    const server = await start(scope);
    const { seen } = await answering(scope, server);
    const caller = await sipp(scope, {
      scenario: 'uac-call',
      transport,
      service: 'alice',
      port: server.sip.port,
      calls: 100,
      rate: 200,
    });
    await caller.done;
    expect(seen.filter((what) => what === 'INVITE')).toHaveLength(100);
    expect(seen.filter((what) => what === 'BYE')).toHaveLength(100);
  });
});

describe.each(['udp', 'tcp'])('a SIPp callee over %s', (transport) => {
  async function call(scope: Scope, scenario: string) {
    const server = await start(scope);
    const callee = await sipp(scope, { scenario, transport });
    const app = await srfApp(scope, server);
    return { app, callee, uri: `sip:bob@127.0.0.1:${callee.port};transport=${transport}` };
  }

  test.for(['uas-call', 'uas-record-route'])('%s', async (scenario, { scope }) => {
    const { app, callee, uri } = await call(scope, scenario);
    const progress: number[] = [];
    const uac = await app.createUAC(uri, { localSdp: sdp() }, { cbProvisional: ({ status }) => progress.push(status) });
    expect(progress).toEqual([180]);
    await uac.destroy();
    await callee.done;
  });

  test('uas-hangs-up', async ({ scope }) => {
    const { app, callee, uri } = await call(scope, 'uas-hangs-up');
    const uac = await app.createUAC(uri, { localSdp: sdp() });
    await once(uac, 'destroy', () => undefined);
    await callee.done;
  });

  test('uas-busy', async ({ scope }) => {
    const { app, callee, uri } = await call(scope, 'uas-busy');
    await expect(app.createUAC(uri, { localSdp: sdp() })).rejects.toMatchObject({ status: 486 });
    await callee.done;
  });

  test('uas-rings', async ({ scope }) => {
    const { app, callee, uri } = await call(scope, 'uas-rings');
    let invite: Request | undefined;
    const outcome = app.createUAC(
      uri,
      { localSdp: sdp() },
      {
        cbRequest: (_error, request) => {
          invite = request;
        },
        cbProvisional: () => invite?.cancel(),
      },
    );
    await expect(outcome).rejects.toMatchObject({ status: 487 });
    await callee.done;
  });
});

describe('what UDP loses', () => {
  test('uac-late-ack: a late ACK does not end the call', async ({ scope }) => {
    const server = await start(scope);
    await answering(scope, server);
    const caller = await sipp(scope, {
      scenario: 'uac-late-ack',
      transport: 'udp',
      service: 'alice',
      port: server.sip.port,
    });
    await caller.done;
  });

  test('a caller that loses a tenth of its messages still gets all calls through', async ({ scope }) => {
    const server = await start(scope);
    const { seen } = await answering(scope, server);
    const caller = await sipp(scope, {
      scenario: 'uac-call',
      transport: 'udp',
      service: 'alice',
      port: server.sip.port,
      calls: 10,
      rate: 50,
      lost: 10,
    });
    await caller.done;
    expect(seen.filter((what) => what === 'INVITE')).toHaveLength(10);
    expect(seen.filter((what) => what === 'BYE')).toHaveLength(10);
  });
});
