import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { encodeSpeex, frameMs, speak } from '../../support/speech.js';
import { StallingLink } from '../../support/stalling-link.js';

const gateway = useGateway();
const frames = await encodeSpeex(await speak());
const hexes = frames.map((frame) => frame.toString('hex'));
/** Position in what is said of each frame that is like no other. */
const positions = new Map(
  hexes.flatMap((hex, at) => (hexes.lastIndexOf(hex) === hexes.indexOf(hex) ? [[hex, at]] : [])),
);

/** Reproducible numbers from 0 to 1 (a linear congruential generator). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Call {
  readonly phone: LibrtmpPhone;
  readonly sipp: Sipp;
}

async function call(scope: Scope, peer: RtpPeer, url = gateway().rtmpUrl()): Promise<Call> {
  const sipp = await Sipp.start(scope, { scenario: callee.answers({ payloadType: 96 }), rtpPort: peer.port });
  const phone = await LibrtmpPhone.connect(scope, url);
  await phone.dialAndConnect(sipp.uri());
  return { phone, sipp };
}

/** What the phone said when it heard each frame: position, and milliseconds since it was due to be said. */
function delays(phone: LibrtmpPhone): { readonly position: number; readonly delay: number }[] {
  const began = phone.events.all.find(({ event }) => event === 'sending')?.at ?? 0;
  return phone.audio.flatMap(({ hex, at }) => {
    const position = positions.get(hex);
    return position === undefined ? [] : [{ position, delay: at - began - position * frameMs }];
  });
}

const faults: readonly [
  name: string,
  network: () => (packet: Buffer, send: (packet: Buffer) => void) => void,
  bounds: { least: number; delay: number },
][] = [
  [
    '5 % loss',
    () => {
      const next = random(1);
      return (packet, send) => {
        if (next() >= 0.05) send(packet);
      };
    },
    { least: 0.9, delay: 150 },
  ],
  [
    '30 ms of jitter',
    () => {
      const next = random(2);
      return (packet, send) => setTimeout(() => send(packet), next() * 30);
    },
    { least: 0.98, delay: 200 },
  ],
  [
    'packets that overtake others, loss and jitter',
    () => {
      const next = random(3);
      return (packet, send) => {
        if (next() < 0.03) return;
        setTimeout(() => send(packet), next() < 0.1 ? 50 : next() * 10);
      };
    },
    { least: 0.9, delay: 230 },
  ],
  [
    'bursts of 200 ms',
    () => {
      const held: Buffer[] = [];
      return (packet, send) => {
        if (held.push(packet) === 10) for (const bytes of held.splice(0)) send(bytes);
      };
    },
    { least: 0.97, delay: 400 },
  ],
];

describe('the far end over a bad network', () => {
  test.concurrent.for(faults)('of %s is heard in order and in time', async ([, network, bounds], { scope }) => {
    const peer = await RtpPeer.open(scope, { network: network() });
    peer.echoAs = 96;
    const { phone, sipp } = await call(scope, peer);
    await phone.send(frames);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    const heard = delays(phone);
    const order = heard.map(({ position }) => position);
    expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
    expect(heard.length).toBeGreaterThanOrEqual(positions.size * bounds.least);
    expect(Math.max(...heard.map(({ delay }) => delay))).toBeLessThan(bounds.delay);
  });
});

test.concurrent('a client whose connection stands still for 3 s is heard without delay a second later', async ({
  scope,
}) => {
  const peer = await RtpPeer.open(scope);
  const link = await StallingLink.open(scope, gateway().rtmpPort);
  const { phone, sipp } = await call(scope, peer, gateway().rtmpUrl().replace(/:\d+/, `:${link.port}`));
  phone.startSending(frames);
  await peer.waitPackets(25);
  const stallMs = 3000;
  link.stall(stallMs);
  await phone.events.find('the last frame to be sent', ({ event }) => event === 'sent');
  const last = frames.at(-1)?.subarray(1).toString('hex');
  await peer.packets.find('the last frame', ({ payload }) => payload.toString('hex') === last);
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();

  const packets = peer.packets.all;
  const missing = frames.length - packets.length;
  expect(missing).toBeGreaterThan((stallMs - 500) / frameMs);
  // What comes after is spaced as it is spoken, on a timeline that says how long nothing was heard.
  const resumed = packets.findIndex((packet, index) => index > 0 && packet.at - (packets[index - 1]?.at ?? 0) > 2000);
  const [before, after] = [packets[resumed - 1], packets[resumed]];
  expect(after?.marker).toBe(true);
  const silence = ((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0;
  expect(silence / 16).toBeGreaterThan(stallMs - 500);
  const start = packets[0];
  const lateness = packets.map(
    ({ at, timestamp }) => at - (start?.at ?? 0) - ((timestamp - (start?.timestamp ?? 0)) >>> 0) / 16,
  );
  expect(Math.max(...lateness.slice(resumed + 5))).toBeLessThan(200);
  const { media } = await gateway().callEnded(sipp.uri());
  expect(media).toMatchObject({ lateFromClient: missing });
});
