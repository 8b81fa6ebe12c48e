import { expect } from 'vitest';
import type { SessionDescription } from '../../../../plugin/call/session-description.js';
import { loopback } from '../../../support/ports.js';
import { documentedFigures } from '../../../support/readme-figures.js';
import { RtpPeer } from '../../../support/rtp-peer.js';
import { test } from '../../../support/scope.js';
import { flv, wideband } from '../speex-frames.js';
import { rigWithServer, until } from './rig.js';

/** Told only where reports of the far end came, or a suite protected the packets. */
const notAlways = ['remoteJitterMs', 'roundTripMs', 'srtp', 'forged', 'replayed'];

test.for(['freeswitch', 'auto'] as const)(
  '%s: the figures of a call are those that the README explains',
  async (mode, { scope }) => {
    const { rig, server } = await rigWithServer(scope);
    const far = await RtpPeer.open(scope);
    const { session, frames } = await rig.call(mode);
    const answer: SessionDescription = {
      address: loopback,
      media: [
        {
          kind: 'audio',
          port: far.port,
          protocol: 'RTP/AVP',
          direction: 'sendrecv',
          formats: [{ payloadType: 0, encoding: 'pcmu', clockRate: 8000 }],
        },
      ],
    };
    await session.accept(answer);
    const to = session.offer.media[0]?.port ?? 0;
    for (let frame = 0; frame < 10; frame++) {
      session.write({ kind: 'audio', timestamp: frame * 20, payload: flv(wideband(frame)) });
    }
    await far.waitPackets(10);
    const before = frames.length;
    for (let sequence = 0; sequence < 10; sequence++) {
      const payload = Buffer.alloc(160, 0xff);
      far.send({ payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc: 7, payload }, to);
    }
    await until('the client hears the far end', () => frames.length >= before + 5);
    const report = session.close();
    expect(report).toMatchObject({
      ...{ engine: 'freeswitch', server: `${loopback}:${server.port}`, codec: 'pcmu/8000' },
      ...{ clientCodec: 'speex', heard: 'speex', packetsSent: 10, lost: 0 },
      ...(mode === 'auto' && { relayedFromFarEnd: 10 }),
    });
    expect(report.played).toBe(frames.length);
    const relayed = (name: string) => mode === 'auto' || !name.startsWith('relayed');
    const documented = [...documentedFigures('figures'), ...documentedFigures('figures with FreeSWITCH')].filter(
      relayed,
    );
    expect(documented.filter((name) => !(name in report) && !notAlways.includes(name))).toEqual([]);
    expect(Object.keys(report).filter((name) => !documented.includes(name))).toEqual([]);
  },
);
