import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The compiled gateway as a process of its own, so that its processor time and memory are its alone. */
export class MeasuredGateway {
  readonly rtmpPort: number;
  readonly sipPort: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, rtmpPort: number, sipPort: number) {
    this.#process = process;
    this.rtmpPort = rtmpPort;
    this.sipPort = sipPort;
  }

  static async start(): Promise<MeasuredGateway> {
    const [rtmpPort, sipPort] = [await freePort(), await freePort()];
    const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    const child = spawn(process.execPath, ['--expose-gc', main], {
      env: {
        PATH: process.env.PATH,
        SONO_RTMP_PORT: String(rtmpPort),
        SONO_SIP_PORT: String(sipPort),
        SONO_HTTP_PORT: '0',
        SONO_LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('the gateway did not start'))),
    ]);
    return new MeasuredGateway(child, rtmpPort, sipPort);
  }

  /** Processor time used so far, in seconds (proc(5): utime and stime, in ticks of 10 ms). */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Resident memory in kB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await once(this.#process, 'exit');
  }
}

/** A port that is free on loopback for TCP and UDP. */
async function freePort(): Promise<number> {
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
