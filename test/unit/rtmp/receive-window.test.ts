import { expect, it } from 'vitest';
import { ReceiveWindow } from '../../../plugin/rtmp-server-ts/src/session/receive-window.js';

it('counts acknowledged bytes modulo 2^32, and goes on beyond', () => {
  const window = new ReceiveWindow(2 ** 32 - 1_500);
  window.setSize(1_000);
  expect([window.add(999), window.add(1)]).toEqual([undefined, 2 ** 32 - 500]);
  expect(window.add(600)).toBeUndefined();
  expect(window.add(400)).toBe(500);
  expect(window.add(1_000)).toBe(1_500);
  expect(window.received).toBe(2 ** 32 + 1_500);
});

it('acknowledges once for a read that fills the window several times', () => {
  const window = new ReceiveWindow();
  window.setSize(10);
  expect([window.add(95), window.add(9), window.add(1)]).toEqual([95, undefined, 105]);
});
