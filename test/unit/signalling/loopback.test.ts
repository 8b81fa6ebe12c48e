import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  IncomingInvite,
  OutgoingInvite,
  RegistrationEvent,
  SignallingEvent,
  TextMessage,
} from '../../../plugin/call/ports.js';
import { DrachtioConnection } from '../../../plugin/signalling/drachtio/drachtio.js';
import { DrachtioSignalling } from '../../../plugin/signalling/signalling.js';
import { ControlServer } from './support/control-server.js';
import { offer } from './support/far-end.js';

/** Both sides of calls that never leave the gateway: a drachtio server sends nothing to its own address. */
let server: ControlServer;
let connection: DrachtioConnection;
let signalling: DrachtioSignalling;
let invited: IncomingInvite[];
let texts: { called: string; message: TextMessage }[];

beforeEach(async () => {
  server = await ControlServer.start();
  connection = new DrachtioConnection({ ...server.address, loopback: true });
  const users = new Map([
    ['bob', 'secret'],
    ['carol', undefined],
  ]);
  signalling = new DrachtioSignalling(connection, { fromName: 'test', local: { domains: ['sono.test'], users } });
  invited = [];
  texts = [];
  signalling.onInvite((invite) => void invited.push(invite));
  signalling.onMessage((called, message) => called === 'line' && texts.push({ called, message }) > 0);
  await connection.connect();
});

afterEach(() => {
  connection.close();
  server.close();
});

/** Events of one side, each of which can be waited for. */
class Side {
  readonly events: SignallingEvent[] = [];
  readonly listen = (event: SignallingEvent): void => void this.events.push(event);

  async event<T extends SignallingEvent['type']>(type: T): Promise<Extract<SignallingEvent, { type: T }>> {
    await expect.poll(() => this.events.map((event) => event.type)).toContain(type);
    const index = this.events.findIndex((event) => event.type === type);
    const [event] = this.events.splice(0, index + 1).slice(-1);
    return event as Extract<SignallingEvent, { type: T }>;
  }
}

interface Dialled {
  readonly caller: Side;
  readonly callee: Side;
  readonly outgoing: OutgoingInvite;
  readonly incoming: IncomingInvite;
}

async function dial(uri = 'sip:line@127.0.0.1:5060'): Promise<Dialled> {
  const [caller, callee] = [new Side(), new Side()];
  const request = { callId: 'c1', uri, from: 'sip:alice@sono.test', offer };
  const outgoing = signalling.invite(request, caller.listen);
  await expect.poll(() => invited).toHaveLength(1);
  const incoming = invited[0] as IncomingInvite;
  incoming.listen(callee.listen);
  return { caller, callee, outgoing, incoming };
}

async function answered(): Promise<Dialled> {
  const dialled = await dial();
  dialled.incoming.ring();
  expect(await dialled.caller.event('provisional')).toMatchObject({ status: 180 });
  dialled.incoming.answer(offer);
  await Promise.all([dialled.caller.event('answered'), dialled.callee.event('established')]);
  return dialled;
}

async function register(user: string, contactUser: string, password?: string): Promise<RegistrationEvent> {
  const registrar = signalling.home(undefined)?.registrar ?? '';
  const credentials = password === undefined ? {} : { credentials: { user, password } };
  return await new Promise((resolve) => {
    signalling.register({ address: `sip:${user}@sono.test`, registrar, contactUser, ...credentials }, resolve);
  });
}

describe('a call to the own address', () => {
  it('arrives as any other', async () => {
    const { incoming } = await dial();
    expect(incoming.caller).toEqual({ called: 'line', from: 'sip:alice@sono.test', displayName: 'test' });
    expect(incoming.offer?.media[0]).toMatchObject({ kind: 'audio', port: 4000 });
    expect(server.frames).toEqual([]);
  });

  it.each(['caller', 'callee'] as const)('is answered, changed, and ended by the %s', async (who) => {
    const { caller, callee, outgoing, incoming } = await answered();
    outgoing.change({ ...offer, media: offer.media.map((media) => ({ ...media, direction: 'sendonly' })) });
    expect((await callee.event('offered')).offer?.media[0]).toMatchObject({ direction: 'sendonly' });
    incoming.acceptChange(offer);
    await caller.event('changed');
    incoming.sendDtmf('5', 160);
    expect(await caller.event('tone')).toMatchObject({ tone: { digit: '5', duration: 160 } });
    (who === 'caller' ? outgoing : incoming).bye();
    expect((await caller.event('ended')).termination.result).toBe('completed');
    expect((await callee.event('ended')).termination.result).toBe('completed');
    expect(connection.dialogs.size).toBe(0);
  });

  it('is refused', async () => {
    const { caller, incoming } = await dial();
    incoming.reject(603);
    expect((await caller.event('failed')).termination).toMatchObject({ sipStatus: 603, reason: 'Decline' });
  });

  it('is cancelled, and both hear of it once', async () => {
    const { caller, callee, outgoing, incoming } = await dial();
    incoming.ring();
    await caller.event('provisional');
    outgoing.cancel();
    expect((await caller.event('failed')).termination).toMatchObject({ sipStatus: 487 });
    expect((await callee.event('failed')).termination).toMatchObject({ result: 'cancelled' });
    outgoing.cancel();
    incoming.answer(offer);
    expect([caller.events, callee.events]).toEqual([[], []]);
    expect(connection.dialogs.size).toBe(0);
  });

  it('is cancelled before it has rung', async () => {
    const { caller, callee, outgoing } = await dial();
    outgoing.cancel();
    await Promise.all([caller.event('failed'), callee.event('failed')]);
  });

  it('goes on while the server is away', async () => {
    const { caller, callee, incoming } = await answered();
    server.drop();
    await expect.poll(() => connection.up).toBe(false);
    incoming.bye();
    await Promise.all([caller.event('ended'), callee.event('ended')]);
  });

  it('is passed on by the one called', async () => {
    const { caller, callee, outgoing, incoming } = await answered();
    incoming.transfer('sip:dave@sono.test');
    expect((await caller.event('referred')).referral).toMatchObject({ uri: 'sip:dave@sono.test' });
    outgoing.acceptReferral();
    outgoing.reportReferral(200, 'OK');
    await callee.event('transferred');
  });
});

describe('what else is for the own address', () => {
  it('are texts', async () => {
    const text = { uri: 'sip:line@127.0.0.1:5060', from: 'sip:alice@sono.test', text: 'hello' };
    await signalling.sendMessage(text);
    expect(texts).toEqual([{ called: 'line', message: { from: 'sip:alice@sono.test', text: 'hello' } }]);
    await expect(signalling.sendMessage({ ...text, uri: 'sip:nobody@sono.test' })).rejects.toThrow('404');
  });

  it('are registrations, with their passwords', async () => {
    expect(await register('bob', 'line', 'secret')).toEqual({ type: 'registered' });
    expect(await register('bob', 'line', 'guess')).toMatchObject({ type: 'failed', reason: '401 Unauthorized' });
    expect(await register('carol', 'line')).toEqual({ type: 'registered' });
    expect(await register('dave', 'line')).toMatchObject({ type: 'failed', reason: '403 Forbidden' });
  });

  it('are calls by a registered name, in a domain that leads nowhere', async () => {
    await register('bob', 'line.1', 'secret');
    const { caller, callee, incoming } = await dial('sip:bob@sono.test');
    expect(incoming.caller).toMatchObject({ called: 'line.1', from: 'sip:alice@sono.test' });
    incoming.ring();
    await caller.event('provisional');
    incoming.answer(offer);
    await Promise.all([caller.event('answered'), callee.event('established')]);
    incoming.bye();
    await Promise.all([caller.event('ended'), callee.event('ended')]);
  });

  it('is not what goes elsewhere: the server sends that', async () => {
    const request = { callId: 'c1', uri: 'sip:b@127.0.0.1:5061', from: 'sip:alice@sono.test', offer };
    signalling.invite(request, () => undefined);
    expect((await server.find(/^INVITE/)).startLine).toBe('INVITE sip:b@127.0.0.1:5061;transport=udp SIP/2.0');
  });
});
