import { describe, expect } from 'vitest';
import type { MediaReport } from '../../../plugin/call/ports.js';
import { DirectSession } from '../../../plugin/media/direct-session.js';
import { RtpPorts } from '../../../plugin/media/network/rtp-ports.js';
import { openRtpSockets, type RtpSockets } from '../../../plugin/media/network/rtp-sockets.js';
import { Ticker } from '../../../plugin/media/network/ticker.js';
import { freePortRange } from '../../support/ports.js';
import { type Scope, test } from '../../support/scope.js';
import { FakeClock } from './fake-clock.js';

const host = '127.0.0.1';

interface Opened {
  readonly sockets: RtpSockets;
  readonly lost: string[];
  readonly close: () => MediaReport;
}

async function open(scope: Scope): Promise<Opened> {
  const clock = new FakeClock();
  const sockets = await openRtpSockets(new RtpPorts({ range: await freePortRange(2), now: () => clock.now() }), host);
  const lost: string[] = [];
  const session = new DirectSession({
    call: { callId: 'test', player: { play: () => true }, lost: (reason) => lost.push(reason) },
    host,
    advertisedAddress: host,
    sockets,
    clock,
    ticker: new Ticker(clock, 20),
    released: () => {},
  });
  scope.defer(() => session.close());
  return { sockets, lost, close: () => session.close() };
}

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`recvmsg ${code}`), { code });
}

/** Errors as the system reports them on a socket: there is no way to cause them from outside. */
describe.each(['rtp', 'rtcp'] as const)('an error of the %s socket', (name) => {
  test.for(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])('%s is counted and passes', async (code, { scope }) => {
    const { sockets, lost, close } = await open(scope);
    sockets[name].emit('error', errno(code));
    sockets[name].emit('error', errno(code));
    expect(lost).toEqual([]);
    expect(close()).toMatchObject({ socketErrors: 2 });
  });

  test('of any other kind ends the media, once', async ({ scope }) => {
    const { sockets, lost, close } = await open(scope);
    sockets[name].emit('error', errno('EBADF'));
    sockets.rtp.emit('error', errno('EIO'));
    expect(lost).toEqual([expect.stringMatching('EBADF')]);
    close();
    expect(lost.length).toBe(1);
  });

  test('after the end is nothing any more', async ({ scope }) => {
    const { sockets, lost, close } = await open(scope);
    close();
    sockets[name].emit('error', errno('EBADF'));
    expect(lost).toEqual([]);
  });
});
