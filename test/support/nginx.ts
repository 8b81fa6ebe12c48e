import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, loopback, untilBound } from './ports.js';
import { PeerProcess } from './process.js';
import type { Scope } from './scope.js';

/** nginx as reverse proxy for HTTP and WebSocket, as its documentation sets it up. @returns the port that it listens on */
export async function startNginx(scope: Scope, upstreamPort: number): Promise<number> {
  return (await start(scope, (folder, port) => proxyConfiguration(folder, port, upstreamPort))).port;
}

/** nginx with its RTMP module: an application `live` that relays. @returns the port that it listens on */
export async function startNginxRtmp(scope: Scope): Promise<number> {
  return (await runNginxRtmp(scope)).port;
}

interface Nginx {
  readonly port: number;
  /** Of the master; its one worker does the work. */
  readonly pid: number;
}

export function runNginxRtmp(scope: Scope): Promise<Nginx> {
  return start(scope, rtmpConfiguration);
}

async function start(scope: Scope, configure: (folder: string, port: number) => string): Promise<Nginx> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configure(folder, port));
  const nginx = await PeerProcess.start(scope, 'nginx', ['-c', file, '-p', folder, '-e', 'stderr']);
  scope.defer(async () => {
    await nginx.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });
  if (await untilBound('tcp', port)) return { port, pid: nginx.pid };
  throw new Error(`nginx does not listen on ${loopback}:${port}:\n${nginx.stderr.tail()}`);
}

function rtmpConfiguration(folder: string, port: number): string {
  return `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
events {}
rtmp {
  server {
    listen ${loopback}:${port};
    application live { live on; wait_key off; }
  }
}
`;
}

function proxyConfiguration(folder: string, port: number, upstreamPort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream sono { server ${loopback}:${upstreamPort}; keepalive 4; }
  server {
    listen ${loopback}:${port};
    # rtmpdump asks again at once, and does not connect again.
    keepalive_requests 1000000;
    # Started by root, nginx lets its workers write nowhere but to memory.
    client_body_buffer_size 1m;
    location / {
      proxy_pass http://sono;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }
}
`;
}
