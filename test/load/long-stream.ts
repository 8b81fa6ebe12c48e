import { setImmediate as nextTurn } from 'node:timers/promises';
import { RtmpClient } from 'rtmp-server-ts';
import { Scope } from '../support/scope-class.js';
import { LoadPhone } from './phone.js';
import { startRelay } from './rtmp/relay.js';

/**
 * A stream longer than 32 bits can count, through one connection to the package's server and one from it to the package's client:
 * `npm run build && node --import tsx test/load/long-stream.ts [GIGABYTES]` (default 5). Timestamps pass 2^32 half-way. Every message must
 * arrive, in order, as it was sent; acknowledgements must go on beyond 2^32; memory must not grow. Ends with 1 when something is wrong.
 */
const bytesInAll = Number(process.argv[2] ?? 5) * 1e9;
const messageLength = 32_768;
const count = Math.ceil(bytesInAll / messageLength);
/** Messages on their way: below what a server keeps for a slow reader before it drops. */
const inFlight = 4;
const growthAllowed = 64 * 1024;

function check(right: boolean, what: string): void {
  if (!right) throw new Error(what);
}

const timestampOf = (number: number): number => (2 ** 32 - 20 * Math.floor(count / 2) + 20 * number) >>> 0;

function messageOf(number: number): Uint8Array {
  const payload = Buffer.alloc(messageLength, number & 0xff);
  payload.set([0x27, 1, 0, 0, 0]);
  payload.writeUInt32BE(number, 5);
  return payload;
}

async function main(scope: Scope): Promise<void> {
  const { process: server, port } = await startRelay(scope);
  const publisher = await LoadPhone.connect('127.0.0.1', port);
  await publisher.publish();
  let [acknowledged, acknowledgements] = [0, 0];
  publisher.onAcknowledgement = (sequenceNumber) => {
    // The sequence number has 32 bits: the difference to the last one says how far it went.
    acknowledged += (sequenceNumber - acknowledged) >>> 0;
    acknowledgements += 1;
    check(acknowledged <= publisher.bytesSent, `acknowledged ${acknowledged} of ${publisher.bytesSent} bytes`);
  };

  const connection = await RtmpClient.connect(`rtmp://127.0.0.1:${port}/live`);
  const player = await connection.createStream();
  let received = 0;
  let failure: Error | undefined;
  player.on('video', ({ timestamp, payload }) => {
    const number = received++;
    if (timestamp === timestampOf(number) && Buffer.compare(payload, messageOf(number)) === 0) return;
    failure ??= new Error(`message ${number}: another timestamp (${timestamp}) or other bytes`);
  });
  connection.on('close', ({ code, message }) => {
    if (received < count) failure ??= new Error(`the player's connection ended: ${code}, ${message}`);
  });
  await player.play('dummy');

  const started = performance.now();
  let memory = 0;
  for (let sent = 0; sent < count || received < count; ) {
    if (failure !== undefined) throw failure;
    for (; sent < count && sent - received < inFlight; sent++) publisher.sendVideo(timestampOf(sent), messageOf(sent));
    // By then the heap has the size that it needs.
    if (memory === 0 && received > count / 4) memory = server.memory();
    await nextTurn();
  }
  const seconds = (performance.now() - started) / 1_000;
  const growth = server.memory() - memory;
  const { bytesIn } = connection.counters;
  console.log(
    `${count} messages, ${publisher.bytesSent} bytes to the server, ${bytesIn} from it, ${seconds.toFixed(0)} s`,
  );
  console.log(
    `${acknowledgements} acknowledgements, the last at ${acknowledged}; the server's memory grew by ${growth} kB`,
  );
  check(publisher.bytesSent - acknowledged < 3_000_000, 'the last bytes were not acknowledged');
  check(bytesIn > count * messageLength, `the player counted ${bytesIn} bytes`);
  check(growth < growthAllowed, 'memory grew');
  connection.close();
  publisher.close();
}

const scope = new Scope();
try {
  await main(scope);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await scope.close();
}
