import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { loopback } from '../../../support/ports.js';
import type { Sipp } from '../../../support/sipp.js';

const timeoutMs = 15_000;

/**
 * Makes a caller over UDP that waits for an INFO go on with its scenario, as soon as it has confirmed the answer: SIPp has
 * no other way to be told when to hang up.
 */
export async function goOn(sipp: Sipp): Promise<void> {
  const callId = await confirmedCall(sipp);
  const info = [
    `INFO sip:sipp@${loopback}:${sipp.port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${loopback}:9;branch=z9hG4bK-go-on`,
    `From: <sip:test@${loopback}>;tag=test`,
    `To: <sip:sipp@${loopback}:${sipp.port}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 INFO',
    'Content-Length: 0',
  ];
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send(`${info.join('\r\n')}\r\n\r\n`, sipp.port, loopback, (error) => (error ? reject(error) : resolve()));
  }).finally(() => socket.close());
}

async function confirmedCall(sipp: Sipp): Promise<string> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(25)) {
    const messages = await sipp.messages();
    const ack = messages.find(({ direction, text }) => direction === 'sent' && text.startsWith('ACK '));
    const callId = /^Call-ID: *(\S+)/im.exec(ack?.text ?? '')?.[1];
    if (callId !== undefined) return callId;
  }
  throw new Error(`no call was answered and confirmed within ${timeoutMs} ms: ${await sipp.flow()}`);
}
