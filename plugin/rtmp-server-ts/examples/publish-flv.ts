/** Publishes an FLV file at the speed of its timestamps: `publish-flv.ts FILE rtmp://HOST/APP NAME` */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeAmf0, RtmpClient } from 'rtmp-server-ts';

const [file = '', url = '', name = ''] = process.argv.slice(2);
if (name === '') {
  console.error('usage: publish-flv.ts FILE rtmp://HOST/APP NAME');
  process.exit(2);
}
const film = await readFile(file);
const [AUDIO, VIDEO, SCRIPT] = [8, 9, 18];

interface Tag {
  readonly type: number;
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** FLV (video file format 10.1, annex E): a header that says its length, then tags, each after the length of the one before. */
function* tagsOf(flv: Buffer): Generator<Tag> {
  for (let at = flv.readUInt32BE(5) + 4; at + 11 <= flv.length; ) {
    const length = flv.readUIntBE(at + 1, 3);
    const timestamp = flv.readUIntBE(at + 4, 3) + flv.readUInt8(at + 7) * 0x1000000;
    yield { type: flv.readUInt8(at) & 0x1f, timestamp, body: flv.subarray(at + 11, at + 11 + length) };
    at += 11 + length + 4;
  }
}

// A film may come late, unlike a voice: nothing is dropped for a slow network before it is ten seconds behind.
const limits = { mediaDelay: 10_000, pendingMediaBytes: 3 * 1024 * 1024 };
const connection = await RtmpClient.connect(url, { limits });
connection.on('close', ({ code, message }) => {
  if (code !== 'client') console.error(`${code}: ${message}`);
  process.exitCode = code === 'client' ? 0 : 1;
});
const stream = await connection.createStream();
await stream.publish(name);
const begin = performance.now();
let sent = 0;
let dropped = 0;
for (const { type, timestamp, body } of tagsOf(film)) {
  const early = timestamp - (performance.now() - begin);
  if (early > 0) await sleep(early);
  if (stream.publishing === undefined) break;
  if (type === SCRIPT) stream.sendData('@setDataFrame', ...decodeAmf0(body));
  else if (type !== AUDIO && type !== VIDEO) continue;
  else if (type === AUDIO ? stream.sendAudio(timestamp, body) : stream.sendVideo(timestamp, body)) sent += 1;
  else dropped += 1;
}
console.log(`${sent} messages sent, ${dropped} dropped`);
stream.stop();
connection.close();
