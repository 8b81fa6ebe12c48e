import { describe, expect, it } from 'vitest';
import { patience, RemoteParty, type Source } from '../../../plugin/media/rtp/remote-party.js';

const target = { host: 'phone.example', port: 4000, rtcpPort: 4005 };
const signalled: Source = { address: '192.0.2.1', port: 4000 };
const behindNat: Source = { address: '198.51.100.7', port: 7000 };
const stranger: Source = { address: '203.0.113.66', port: 9 };

function party(changes: Partial<typeof target> = {}): RemoteParty {
  const remote = new RemoteParty({ ...target, ...changes });
  remote.resolved(signalled.address);
  return remote;
}

/** A packet as the channel treats it: whether it was taken. */
function packet(remote: RemoteParty, source: Source, now: number): boolean {
  if (!remote.admits(source, now)) return false;
  remote.heard(source, now);
  return true;
}

const place = ({ address, port, rtcpPort }: RemoteParty) => [address, port, rtcpPort];
const atTarget = ['192.0.2.1', 4000, 4005];

describe('the far end', () => {
  it('is where the answer says once the name resolves', () => {
    const remote = new RemoteParty(target);
    expect(remote.address).toBeUndefined();
    remote.resolved('192.0.2.1');
    expect(place(remote)).toEqual(atTarget);
  });

  it('heard where the answer says is there for good', () => {
    const remote = party();
    expect(remote.heard(signalled, 0)).toBe(false);
    expect(place(remote)).toEqual(atTarget);
    for (const source of [stranger, { ...signalled, port: 4001 }, { ...signalled, address: '192.0.2.2' }]) {
      expect(remote.admits(source, 60_000)).toBe(false);
    }
    expect(remote.admits(signalled, 60_000)).toBe(true);
  });

  it('heard elsewhere alone for a while is there, with RTCP on the next port', () => {
    const remote = party();
    expect(packet(remote, behindNat, 1000)).toBe(true);
    expect(place(remote)).toEqual(atTarget);
    expect(remote.heard(behindNat, 1000 + patience - 1)).toBe(false);
    expect(remote.heard(behindNat, 1000 + patience)).toBe(true);
    expect(place(remote)).toEqual(['198.51.100.7', 7000, 7001]);
    expect(remote.heard(behindNat, 2000)).toBe(false);
  });

  it.each([
    ['on the highest port has no RTCP', { ...behindNat, port: 65535 }, {}, 0],
    ['that shares its port with RTCP goes on doing so', behindNat, { rtcpPort: 4000 }, 7000],
  ])('%s', (_name, source, changes, rtcpPort) => {
    const remote = party(changes);
    remote.heard(source, 0);
    remote.heard(source, patience);
    expect(place(remote)).toEqual([source.address, source.port, rtcpPort]);
  });

  it('heard before its name resolves, or with none, is there at once', () => {
    const remote = new RemoteParty(target);
    expect(remote.heard(behindNat, 0)).toBe(true);
    remote.resolved('192.0.2.1');
    expect(place(remote)).toEqual(['198.51.100.7', 7000, 7001]);
  });

  it('behind NAT has its RTCP where it comes from', () => {
    const remote = party();
    remote.heardRtcp({ ...signalled, port: 5555 });
    expect(remote.rtcpPort).toBe(4005);
    remote.heard(behindNat, 0);
    remote.heard(behindNat, patience);
    expect(remote.admitsRtcp(stranger)).toBe(false);
    expect(remote.admitsRtcp({ ...behindNat, port: 7333 })).toBe(true);
    remote.heardRtcp({ ...behindNat, port: 7333 });
    expect(place(remote)).toEqual(['198.51.100.7', 7000, 7333]);
  });
});

describe('a far end that moved', () => {
  const moved = (until: number) => {
    const remote = new RemoteParty(target, { ...behindNat, until });
    remote.resolved(signalled.address);
    return remote;
  };

  it('is not where its last packets still come from', () => {
    const remote = moved(1000);
    expect(packet(remote, behindNat, 0)).toBe(false);
    expect(packet(remote, signalled, 10)).toBe(true);
    expect(place(remote)).toEqual(atTarget);
  });

  it('may turn out not to have moved', () => {
    const remote = moved(1000);
    for (const now of [1000, 1000 + patience]) expect(packet(remote, behindNat, now)).toBe(true);
    expect(remote.address).toBe(behindNat.address);
  });

  it('may move to where it was', () => {
    const remote = new RemoteParty(target, { ...signalled, until: 1000 });
    remote.resolved(signalled.address);
    expect(packet(remote, signalled, 0)).toBe(true);
  });

  it('tells where it was heard', () => {
    const remote = party();
    expect(remote.place).toBeUndefined();
    remote.heard(behindNat, 0);
    expect(remote.place).toMatchObject(behindNat);
    remote.heard(signalled, 10);
    expect(remote.place).toEqual(signalled);
  });
});

describe('a stranger', () => {
  it('who is faster than the far end is heard for that long, and sent nothing', () => {
    const remote = party();
    expect(packet(remote, stranger, 0)).toBe(true);
    expect(packet(remote, signalled, 40)).toBe(true);
    expect(packet(remote, stranger, 60)).toBe(false);
    expect(place(remote)).toEqual(atTarget);
    remote.heard(signalled, patience);
    expect(place(remote)).toEqual(atTarget);
  });

  it('who was sent to for want of anybody else gives way to the place that the answer says', () => {
    const remote = party();
    packet(remote, stranger, 0);
    packet(remote, stranger, patience);
    expect(remote.address).toBe(stranger.address);
    expect(remote.heard(signalled, 5000)).toBe(true);
    expect(place(remote)).toEqual(atTarget);
    expect(packet(remote, stranger, 5020)).toBe(false);
  });

  it('is not heard beside a far end behind NAT, before and after it is sent to', () => {
    const remote = party();
    for (const now of [0, 100, patience, 1000, 10_000]) {
      expect(packet(remote, behindNat, now)).toBe(true);
      expect(packet(remote, stranger, now + 20)).toBe(false);
    }
    expect(packet(remote, stranger, 60_000)).toBe(false);
    expect(remote.address).toBe(behindNat.address);
  });

  it('who sent one packet and went silent does not keep out the far end behind NAT', () => {
    const remote = party();
    packet(remote, stranger, 0);
    expect(packet(remote, behindNat, patience)).toBe(false);
    expect(packet(remote, behindNat, patience + 20)).toBe(true);
    expect(packet(remote, behindNat, patience * 2 + 20)).toBe(true);
    expect(remote.address).toBe(behindNat.address);
  });
});

it.each([
  [target, true],
  [{ ...target, host: 'other.example' }, false],
  [{ ...target, port: 4002 }, false],
  [{ ...target, rtcpPort: 4001 }, false],
])('of another answer is the same place: %o %s', (other, same) => {
  expect(new RemoteParty(target).isAt(other)).toBe(same);
});
