import { describe, expect, it } from 'vitest';
import { RtpPorts } from '../../../plugin/media/network/rtp-ports.js';

function pool(range: { min: number; max: number }, random = 0): { ports: RtpPorts; clock: { now: number } } {
  const clock = { now: 500 };
  return { ports: new RtpPorts({ range, now: () => clock.now, random: () => random }), clock };
}

function takeAll(ports: RtpPorts): number[] {
  const taken: number[] = [];
  for (let port = ports.take(); port !== undefined; port = ports.take()) taken.push(port);
  return taken;
}

describe('pairs of RTP ports', () => {
  const rows: [min: number, max: number, pairs: number[]][] = [
    [20000, 20001, [20000]],
    [20000, 20002, [20000]],
    [20000, 20003, [20000, 20002]],
    [20001, 20003, [20002]],
    [20001, 20006, [20002, 20004]],
  ];
  it.each(rows)('%i-%i', (min, max, pairs) => {
    const { ports } = pool({ min, max });
    expect(ports.size).toBe(pairs.length);
    expect(takeAll(ports)).toEqual(pairs);
  });

  it.each([
    [20000, 20000],
    [20001, 20002],
    [20002, 20000],
  ])('%i-%i is no range', (min, max) => {
    expect(() => pool({ min, max })).toThrow(RangeError);
  });

  it('begins at random', () => {
    expect(takeAll(pool({ min: 20000, max: 20007 }, 0.5).ports)).toEqual([20004, 20006, 20000, 20002]);
    expect(pool({ min: 20000, max: 20007 }, 0.999).ports.take()).toBe(20006);
  });

  it('rests a port for 2 s', () => {
    const { ports, clock } = pool({ min: 20000, max: 20003 });
    expect(takeAll(ports)).toEqual([20000, 20002]);
    ports.give(20002);
    clock.now += 1999;
    expect(ports.take()).toBeUndefined();
    clock.now += 1;
    expect(ports.take()).toBe(20002);
    expect(ports.take()).toBeUndefined();
  });

  it('uses the port again that rested longest', () => {
    const { ports, clock } = pool({ min: 20000, max: 20005 });
    const first = ports.take();
    if (first !== undefined) ports.give(first);
    clock.now += 10_000;
    expect(takeAll(ports)).toEqual([20002, 20004, 20000]);
  });

  it('takes a port back only once, and only its own', () => {
    const { ports, clock } = pool({ min: 20000, max: 20001 });
    ports.give(20000);
    ports.give(31000);
    expect(ports.take()).toBe(20000);
    ports.give(20000);
    ports.give(20000);
    clock.now += 2000;
    expect(takeAll(ports)).toEqual([20000]);
  });
});
