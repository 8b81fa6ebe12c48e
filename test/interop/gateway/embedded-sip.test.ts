import { expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { loopback } from '../../support/ports.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { caller } from '../../support/sipp-scenarios.js';

/** The numbers of the embedded server, called by a SIP phone: no RTMP client takes part. */
const gateway = useGateway();

test.concurrent.for([
  ['udp', 97, 'speex/16000'],
  ['tcp', 97, 'speex/16000'],
  ['udp', 0, 'PCMU/8000'],
  ['udp', 111, 'opus/48000/2'],
] as const)('echo over %s takes payload type %i, %s', async ([transport, payloadType, codec], { scope }) => {
  const peer = await RtpPeer.open(scope);
  const sipp = await Sipp.start(scope, {
    scenario: caller.talks({ payloadType, codec, ms: 1500 }),
    transport,
    rtpPort: peer.port,
    call: { user: 'echo', host: loopback, port: gateway().sipPort },
  });
  const { text } = await sipp.received(/^SIP\/2\.0 200/);
  const [, port, answered] = /^m=audio (\d+) RTP\/AVP (\d+)/m.exec(text) ?? [];
  expect(Number(answered)).toBe(payloadType);
  const payloads = Array.from({ length: 20 }, (_, index) => Buffer.alloc(40, index));
  payloads.forEach((payload, index) => {
    const packet = {
      payloadType,
      marker: index === 0,
      sequence: 65530 + index,
      timestamp: 160 * index,
      ssrc: 7,
      payload,
    };
    peer.send(packet, Number(port));
  });
  const packets = await peer.waitPackets(payloads.length);
  expect(packets.map(({ payload }) => payload.toString('hex'))).toEqual(
    payloads.map((payload) => payload.toString('hex')),
  );
  expect(packets.every((packet) => packet.payloadType === payloadType)).toBe(true);
  await sipp.done();
});

test.concurrent.for([
  ['udp', 97, 'speex/16000', 70],
  ['tcp', 104, 'speex/8000', 38],
  ['udp', 0, 'PCMU/8000', 160],
  ['udp', 8, 'PCMA/8000', 160],
] as const)(
  'music over %s plays in payload type %i, %s',
  async ([transport, payloadType, codec, octets], { scope }) => {
    const peer = await RtpPeer.open(scope);
    const sipp = await Sipp.start(scope, {
      scenario: caller.talks({ payloadType, codec, ms: 1500 }),
      transport,
      rtpPort: peer.port,
      call: { user: 'music', host: loopback, port: gateway().sipPort },
    });
    const packets = await peer.waitPackets(25);
    expect(new Set(packets.map((packet) => `${packet.payloadType} ${packet.payload.length}`))).toEqual(
      new Set([`${payloadType} ${octets}`]),
    );
    const [first] = packets;
    const step = codec === 'speex/16000' ? 320 : 160;
    expect(packets.map(({ sequence, timestamp }) => [sequence, timestamp])).toEqual(
      packets.map((_, n) => [((first?.sequence ?? 0) + n) & 0xffff, ((first?.timestamp ?? 0) + n * step) % 2 ** 32]),
    );
    await sipp.done();
  },
);

test.concurrent.for(['udp', 'tcp'] as const)('busy over %s', async (transport, { scope }) => {
  const sipp = await Sipp.start(scope, {
    scenario: caller.isRefused(486),
    transport,
    call: { user: 'busy', host: loopback, port: gateway().sipPort },
  });
  await sipp.done();
});

test.concurrent('a number that nobody has', async ({ scope }) => {
  const sipp = await Sipp.start(scope, {
    scenario: caller.isRefused(404),
    call: { user: 'nobody', host: loopback, port: gateway().sipPort },
  });
  await sipp.done();
});
