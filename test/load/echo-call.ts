import { once } from 'node:events';
import { connect } from 'node:net';
import type { AmfObject } from 'rtmp-server-ts';
import { LoadPhone } from './phone.js';
import { frameLength, Talk } from './talk.js';

/** Whatever sends frames that come back. */
export interface EchoCall {
  readonly talk: Talk;
  end(): void;
}

/** A phone in a call, with its streams open. */
export async function connectedPhone(rtmpPort: number, uri: string, ...wish: AmfObject[]): Promise<LoadPhone> {
  const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
  const connected = new Promise<void>((resolve, reject) => {
    phone.onStatus = (status) => {
      if (status === 2) resolve();
      if (status === 0) reject(new Error('a call was not connected'));
    };
  });
  phone.dial(uri, ...wish);
  await connected;
  await phone.openStreams();
  return phone;
}

/**
 * A phone that calls an echo through the gateway.
 *
 * @param call goes with each frame
 */
export async function callEcho(rtmpPort: number, uri: string, call = 0): Promise<EchoCall> {
  const phone = await connectedPhone(rtmpPort, uri);
  const talk = new Talk((timestamp, frame) => phone.sendAudio(timestamp, frame), call);
  phone.onAudio = (payload) => talk.heard(payload);
  return {
    talk,
    end: () => {
      phone.hangup();
      phone.close();
    },
  };
}

/** The chunk header that RTMP puts before an audio message: the relay carries as many octets. */
const header = Buffer.alloc(8);

/** The same frames over the bare relay. */
export async function callRelay(port: number): Promise<EchoCall> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const talk = new Talk((_, frame) => void socket.write(Buffer.concat([header, frame])));
  const length = header.length + frameLength;
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (; rest.length >= length; rest = rest.subarray(length)) talk.heard(rest.subarray(header.length, length));
  });
  socket.on('error', () => {});
  return { talk, end: () => socket.destroy() };
}
