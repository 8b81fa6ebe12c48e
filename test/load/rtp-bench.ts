/**
 * What the direct media path costs: its pure parts in microseconds per packet, and 100 calls of 50 packets a second
 * both ways over loopback in CPU of this process, passed through, with `srtp` encrypted too, or with `pcmu` or `pcma`
 * transcoded.
 * `node --conditions=source --import tsx test/load/rtp-bench.ts [calls] [seconds] [speex|srtp|pcmu|pcma] [complexity]`
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { splitPacket } from 'speex-wasm';
import type { MediaSession } from '../../plugin/call/ports.js';
import type { CryptoAttribute, SessionDescription } from '../../plugin/call/session-description.js';
import { AudioReceiver } from '../../plugin/media/audio/audio-receiver.js';
import { AudioSender } from '../../plugin/media/audio/audio-sender.js';
import { DirectMedia } from '../../plugin/media/direct.js';
import { agreeAudio } from '../../plugin/media/negotiation/formats.js';
import { buildRtp, parseRtp } from '../../plugin/media/rtp/rtp.js';
import { SrtpSession } from '../../plugin/media/srtp/srtp-session.js';
import { keyMaterialLength, suiteNames } from '../../plugin/media/srtp/suites.js';
import { encodeSpeex, speak } from '../support/speech.js';
import { speexCodec } from '../support/speex.js';

const loopback = '127.0.0.1';
const calls = Number(process.argv[2] ?? 100);
const seconds = Number(process.argv[3] ?? 10);
const mode = process.argv[4] ?? 'speex';
const encoding = mode === 'srtp' ? 'speex' : mode;
const complexity = process.argv[5] === undefined ? {} : { complexity: Number(process.argv[5]) };

/** A wideband frame of 42 octets: narrowband mode 5, a layer of mode 1. */
const frame = new Uint8Array(42);
frame[0] = 0x28;
frame[37] = 0x09;
const message = Uint8Array.of(0xb2, ...frame);

if (mode === 'speex') measureParts();
if (mode === 'srtp') measureProtection();
await measureCalls();

function measureParts(): void {
  const header = { payloadType: 96, marker: false, sequence: 1, timestamp: 320, ssrc: 7 };
  const datagram = buildRtp(header, frame);
  const { receive } = agreeAudio(answer(4000));
  const out = { sendRtp: () => {} };
  const sender = new AudioSender({ payloadType: 96, clockRate: 16000, ssrc: 1, sequence: 0, timestamp: 0, out });
  const receiver = new AudioReceiver({ formats: receive, player: { play: () => true } });
  measure('parse an RTP packet', () => parseRtp(datagram));
  measure('build an RTP packet', () => buildRtp(header, frame));
  measure('look at a Speex packet', () => splitPacket(frame));
  measure('message to packet', (index) =>
    sender.write({ kind: 'audio', timestamp: index * 20, payload: message }, index * 20),
  );
  measure('packet to message', (index) => {
    const bytes = Buffer.from(datagram);
    bytes.writeUInt16BE(index & 0xffff, 2);
    bytes.writeUInt32BE((index * 320) >>> 0, 4);
    const packet = parseRtp(bytes);
    if (typeof packet !== 'string') receiver.receive(packet, index * 20);
  });
}

/** Packets of 172 octets, as of G.711: opening has to be measured with what was protected before. */
function measureProtection(): void {
  for (const suite of suiteNames) {
    const key = Buffer.alloc(keyMaterialLength(suite), 7);
    const session = () => new SrtpSession({ suite, local: key, remote: key });
    const packet = buildRtp({ payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 7 }, new Uint8Array(160));
    const [alone, sender, receiver] = [session(), session(), session()];
    const protect = (srtp: SrtpSession, index: number): Buffer => {
      packet.writeUInt16BE(index & 0xffff, 2);
      return srtp.protectRtp(packet);
    };
    measure(`${suite}: protect`, (index) => protect(alone, index));
    measure(`${suite}: and open`, (index) => receiver.openRtp(protect(sender, index)));
  }
}

function measure(name: string, run: (index: number) => unknown): void {
  const rounds = 500_000;
  for (let index = 0; index < rounds / 5; index++) run(index);
  const before = process.cpuUsage();
  for (let index = 0; index < rounds; index++) run(rounds / 5 + index);
  const { user, system } = process.cpuUsage(before);
  console.log(`${name.padEnd(34)} ${((user + system) / rounds).toFixed(3)} us`);
}

/** One echo for all calls, in this process: its cost is in the figure. */
async function measureCalls(): Promise<void> {
  const echo = createSocket('udp4');
  echo.on('message', (bytes, source) => echo.send(bytes, source.port, source.address));
  echo.bind(0, loopback);
  await once(echo, 'listening');

  const media = new DirectMedia({
    host: loopback,
    ports: { min: 20000, max: 20000 + calls * 2 + 99 },
    srtp: mode === 'srtp' ? 'offer' : 'off',
    ...(encoding === 'speex' ? {} : { transcoding: { codec: await speexCodec(), ...complexity } }),
  });
  const messages = encoding === 'speex' ? [message] : await encodeSpeex(await speak());
  const delays: number[] = [];
  const sessions: { readonly session: MediaSession; sentAt: number }[] = [];
  for (let index = 0; index < calls; index++) {
    const play = (): boolean => delays.push(performance.now() - (sessions[index]?.sentAt ?? 0)) > 0;
    const session = await media.open({ callId: `${index}`, player: { play }, lost: (reason) => console.error(reason) });
    // The echo sends back what was protected with our key: that is also the far end's.
    await session.accept(answer(echo.address().port, session.offer.media[0]?.crypto?.slice(0, 1)));
    sessions.push({ session, sentAt: 0 });
  }
  const usage = process.cpuUsage();
  const start = performance.now();
  const frames = seconds * 50;
  for (let index = 0; index < frames; index++) {
    // The calls of a real gateway are spread over the 20 ms; bursts of ten are near enough for a timer of 1 ms.
    for (let from = 0; from < calls; from += 10) {
      const due = start + index * 20 + (from * 20) / calls;
      const wait = due - performance.now();
      if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
      for (const call of sessions.slice(from, from + 10)) {
        call.sentAt = performance.now();
        const payload = messages[index % messages.length] ?? message;
        call.session.write({ kind: 'audio', timestamp: index * 20, payload });
      }
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { user, system } = process.cpuUsage(usage);
  const elapsed = performance.now() - start;
  const reports = sessions.map(({ session }) => session.close());
  echo.close();
  delays.sort((a, b) => a - b);
  const lost = calls * frames - delays.length;
  const core = ((user + system) / 1000 / elapsed) * 100;
  console.log(
    `${calls} calls, ${seconds} s, with the echo: ${core.toFixed(1)} % of a core, ${(core / calls).toFixed(3)} % a call`,
  );
  if (encoding !== 'speex') {
    console.log(`calls on a core ${((calls * 100) / core).toFixed(0)}`);
  }
  console.log(
    `frames sent ${calls * frames}, not back ${lost}, late ${reports.reduce((sum, one) => sum + Number(one.late), 0)}`,
  );
  console.log(
    `there and back: median ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms, max ${quantile(delays, 1)} ms`,
  );
}

function quantile(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2);
}

function answer(port: number, crypto?: readonly CryptoAttribute[]): SessionDescription {
  const all = [
    { payloadType: 96, encoding: 'speex', clockRate: 16000 },
    { payloadType: 0, encoding: 'pcmu', clockRate: 8000 },
    { payloadType: 8, encoding: 'pcma', clockRate: 8000 },
  ];
  const formats = all.filter((format) => format.encoding === encoding);
  const audio = { kind: 'audio', port, protocol: 'RTP/AVP', direction: 'sendrecv', formats } as const;
  return { address: loopback, media: [{ ...audio, ...(crypto && { crypto }) }] };
}
