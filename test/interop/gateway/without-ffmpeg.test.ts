import { expect } from 'vitest';
import { LoadPhone } from '../../load/phone.js';
import { publishFlv } from '../../support/ffmpeg.js';
import { useGateway } from '../../support/gateway.js';
import { loopback } from '../../support/ports.js';
import { test } from '../../support/scope.js';
import { encodeFlvAs, speak } from '../../support/speech.js';

const gateway = useGateway({ env: { SONO_FFMPEG_PROCESSES: '0' } });
const speech = await speak('One, two, three, four.');

test.concurrent('who publishes AAC is told at once what is missing, and nobody is called', async ({ scope }) => {
  const uri = gateway().sipUri('echo');
  const flv = await encodeFlvAs(speech, ['-c:a', 'aac', '-ar', '44100']);
  const publisher = await publishFlv(scope, gateway().rtmpUrl(`dial/${uri}`), flv);
  await publisher.end(15_000);
  expect(await gateway().callEnded(uri)).toMatchObject({
    result: 'no-codec',
    reason: expect.stringMatching(/the client sends AAC, .* that takes FFmpeg: install it, or name it by SONO_FFMPEG/),
  });
});

test.concurrent('a phone that begins to send Nellymoser loses its call and is told why', async ({ scope }) => {
  const phone = await LoadPhone.connect(loopback, gateway().rtmpPort);
  scope.defer(() => phone.close());
  const uri = `sip:echo@localhost:${gateway().sipPort}`;
  const reached = (wanted: number) =>
    new Promise<void>((resolve) => {
      phone.onStatus = (status) => status === wanted && resolve();
    });
  const connected = reached(2);
  phone.dial(uri);
  await connected;
  await phone.openStreams();
  const ended = reached(0);
  phone.sendAudio(0, Uint8Array.of(0xb2, 0x04, 0x3f));
  phone.sendAudio(20, Buffer.alloc(65, 0x52));
  await ended;
  const { result, reason, media } = await gateway().callEnded(uri);
  expect({ result, reason }).toEqual({ result: 'media-failed', reason: expect.stringMatching('sends Nellymoser') });
  expect(media).toMatchObject({ packetsSent: 1, unsupportedFromClient: 1 });
});
