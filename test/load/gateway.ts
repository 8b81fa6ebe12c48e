import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { MeasuredProcess } from './measured-process.js';

const profile = process.env.PROFILE;
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface MeasuredGateway {
  readonly process: MeasuredProcess;
  readonly rtmpPort: number;
  readonly sipPort: number;
}

/** The compiled gateway. With PROFILE=FOLDER it leaves a CPU profile there, for the browser's developer tools. */
export async function startGateway(
  env: Readonly<Record<string, string>> = {},
  core?: number,
): Promise<MeasuredGateway> {
  const [rtmpPort, sipPort] = [await freePort(), await freePort()];
  const gateway = await MeasuredProcess.start(main, {
    ...(core !== undefined && { core }),
    nodeOptions: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
    env: {
      SONO_RTMP_PORT: String(rtmpPort),
      SONO_SIP_PORT: String(sipPort),
      SONO_HTTP_PORT: '0',
      SONO_LOG_LEVEL: 'warn',
      ...env,
    },
  });
  return { process: gateway, rtmpPort, sipPort };
}

/** A port that is free on loopback for TCP and UDP. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const udp = createSocket('udp4');
  udp.bind(port, '127.0.0.1');
  const result = await once(udp, 'listening').then(
    () => port,
    () => undefined,
  );
  server.close();
  udp.close();
  return result ?? freePort();
}
