import { randomBytes } from 'node:crypto';
import { describe, expect } from 'vitest';
import { parseRtcp } from '../../../../plugin/media/rtp/rtcp.js';
import { buildRtp, parseRtp } from '../../../../plugin/media/rtp/rtp.js';
import { SrtpSession } from '../../../../plugin/media/srtp/srtp-session.js';
import { keyMaterialLength } from '../../../../plugin/media/srtp/suites.js';
import { freePortRange, loopback } from '../../../support/ports.js';
import { runProgram } from '../../../support/process.js';
import { test } from '../../../support/scope.js';
import { UdpPeer } from '../udp-peer.js';

/**
 * FFmpeg's own SRTP, with the two suites that it shares with us, and their names in DTLS: only under that has the second
 * the tag of 80 bits in reports that RFC 4568 section 6.2 gives it.
 */
const suites = [
  ['AES_CM_128_HMAC_SHA1_80', 'SRTP_AES128_CM_HMAC_SHA1_80'],
  ['AES_CM_128_HMAC_SHA1_32', 'SRTP_AES128_CM_HMAC_SHA1_32'],
] as const;
const quiet = ['-nostdin', '-v', 'error'];
/** A second and a half of mu-law, no two octets in a row alike. */
const octets = Buffer.from(Array.from({ length: 12_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff));

describe.each(suites)('FFmpeg and %s', (suite, nameInDtls) => {
  const material = randomBytes(keyMaterialLength(suite));
  const key = material.toString('base64');
  const session = () => new SrtpSession({ suite, local: material, remote: material });

  test('what it sends is opened, packets and reports', async ({ scope }) => {
    const [rtp, rtcp] = [await UdpPeer.open(scope), await UdpPeer.open(scope)];
    const input = ['-re', '-f', 'mulaw', '-ar', '8000', '-i', '-'];
    const output = ['-c', 'copy', '-f', 'rtp', '-srtp_out_suite', nameInDtls, '-srtp_out_params', key];
    const url = `srtp://${loopback}:${rtp.port}?rtcpport=${rtcp.port}`;
    await runProgram('ffmpeg', [...quiet, ...input, ...output, url], { input: octets });
    const srtp = session();
    const payloads = rtp.received.map(({ bytes }) => {
      const opened = srtp.openRtp(bytes);
      const packet = typeof opened === 'string' ? opened : parseRtp(opened);
      if (typeof packet === 'string') throw new Error(packet);
      return packet.bytes.subarray(packet.start, packet.end);
    });
    expect(Buffer.concat(payloads)).toEqual(octets);
    const reports = rtcp.received.map(({ bytes }) => {
      const opened = srtp.openRtcp(bytes);
      const packets = typeof opened === 'string' ? opened : parseRtcp(opened);
      return typeof packets === 'string' ? packets : packets[0]?.type;
    });
    expect(reports.length).toBeGreaterThan(0);
    expect(new Set(reports)).toEqual(new Set(['sr']));
  });

  test('what we send it opens', async ({ scope }) => {
    const peer = await UdpPeer.open(scope);
    const { min: port } = await freePortRange(2);
    const description = `v=0\no=- 0 0 IN IP4 ${loopback}\ns=-\nc=IN IP4 ${loopback}\nt=0 0
m=audio ${port} RTP/SAVP 0\na=crypto:1 ${suite} inline:${key}\n`;
    const options = ['-protocol_whitelist', 'pipe,udp,rtp,srtp', '-analyzeduration', '0', '-probesize', '32'];
    const args = [...quiet, ...options, '-f', 'sdp', '-i', '-', '-t', '0.5', '-c', 'copy', '-f', 'mulaw', '-'];
    const listening = runProgram('ffmpeg', args, { input: Buffer.from(description) });
    const srtp = session();
    let heard: Buffer | undefined;
    void listening.then((output) => {
      heard = output;
    });
    const sent: Buffer[] = [];
    for (let sequence = 0; heard === undefined && sequence < 1000; sequence++) {
      const payload = Buffer.alloc(160, sequence);
      const header = { payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc: 9 };
      sent.push(payload);
      // Before FFmpeg listens nobody does.
      await peer.send(srtp.protectRtp(buildRtp(header, payload)), port).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const output = await listening;
    expect(output.length).toBeGreaterThanOrEqual(3000);
    expect(Buffer.concat(sent).includes(output)).toBe(true);
  });
});
