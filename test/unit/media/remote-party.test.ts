import { describe, expect, it } from 'vitest';
import { RemoteParty } from '../../../plugin/media/rtp/remote-party.js';

const target = { host: 'phone.example', port: 4000, rtcpPort: 4005 };

describe('the far end', () => {
  it('is where the answer says once the name resolves', () => {
    const remote = new RemoteParty(target);
    expect(remote.address).toBeUndefined();
    remote.resolved('192.0.2.1');
    expect(remote).toMatchObject({ address: '192.0.2.1', port: 4000, rtcpPort: 4005, latched: false });
    expect(remote.isStranger({ address: '198.51.100.7', port: 9 })).toBe(false);
  });

  it('heard where the answer says keeps its RTCP port', () => {
    const remote = new RemoteParty(target);
    remote.resolved('192.0.2.1');
    expect(remote.latch({ address: '192.0.2.1', port: 4000 })).toBe(false);
    expect(remote.rtcpPort).toBe(4005);
    expect(remote.isStranger({ address: '192.0.2.1', port: 4000 })).toBe(false);
    expect(remote.isStranger({ address: '192.0.2.1', port: 4001 })).toBe(true);
    expect(remote.isStranger({ address: '192.0.2.2', port: 4000 })).toBe(true);
  });

  it('heard elsewhere has RTCP on the next port', () => {
    const remote = new RemoteParty(target);
    remote.resolved('192.0.2.1');
    expect(remote.latch({ address: '192.0.2.1', port: 65535 })).toBe(true);
    expect(remote.rtcpPort).toBe(0);
    expect(new RemoteParty(target).latch({ address: '192.0.2.9', port: 7000 })).toBe(true);
  });

  it('heard before its name resolves stays where it was heard', () => {
    const remote = new RemoteParty(target);
    remote.latch({ address: '192.0.2.9', port: 7000 });
    remote.resolved('192.0.2.1');
    expect(remote).toMatchObject({ address: '192.0.2.9', port: 7000, rtcpPort: 7001 });
  });

  it.each([
    [target, true],
    [{ ...target, host: 'other.example' }, false],
    [{ ...target, port: 4002 }, false],
    [{ ...target, rtcpPort: 4001 }, false],
  ])('of another answer is the same place: %o %s', (other, same) => {
    expect(new RemoteParty(target).isAt(other)).toBe(same);
  });
});
