/** Runs in a browser: everything that a page can do, told to the server of the page as lines of text. */
import { RtmpCallError, RtmpClient } from 'rtmp-server-ts/browser';

const { search, host } = (globalThis as unknown as { readonly location: { search: string; host: string } }).location;
const port = new URLSearchParams(search).get('rtmp');

async function exercise(url: string): Promise<string[]> {
  const seen: string[] = [];
  const connection = await RtmpClient.connect(url, { args: ['page'] });
  seen.push(`connected by ${connection.protocol}, ${connection.information.code}`);
  connection.on('call', (call) => call.result(`${call.name} answered`));
  seen.push(`sum ${await connection.call('add', 1, 2)}`);
  const fault = await connection.call('fly').catch((error) => error);
  seen.push(`fault ${fault instanceof RtmpCallError ? fault.code : fault}`);
  seen.push(`asked back: ${await connection.call('askBack')}`);
  const [player, publisher] = [await connection.createStream(), await connection.createStream()];
  const played = new Promise<string>((resolve) => {
    player.on('audio', ({ timestamp, payload }) => resolve(`audio ${timestamp} ${payload.join(' ')}`));
  });
  await player.play('page');
  await publisher.publish('page');
  publisher.sendAudio(20, Uint8Array.of(0xb2, 1, 2, 3));
  seen.push(await played);
  const closed = new Promise<string>((resolve) => connection.on('close', ({ code }) => resolve(code)));
  connection.close();
  seen.push(`closed ${await closed}`);
  return seen;
}

async function refusals(): Promise<string[]> {
  const codes: string[] = [];
  for (const url of ['rtmp://127.0.0.1/x', 'ws://127.0.0.1:1/x']) {
    codes.push(
      await RtmpClient.connect(url).then(
        () => 'connected',
        ({ code }) => code,
      ),
    );
  }
  return codes;
}

const report = async () => [
  ...(await exercise(`ws://127.0.0.1:${port}/app`)),
  ...(await exercise(`rtmpt://${host}/app`)),
  // Of another origin than the page.
  ...(await exercise(`rtmpt://127.0.0.1:${port}/app`)),
  ...(await refusals()),
];
const lines = await report().catch((error: Error) => [`failed: ${error.stack}`]);
await fetch('/report', { method: 'POST', body: JSON.stringify(lines) });
