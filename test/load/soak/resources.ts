import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a process holds (proc(5)). */
export interface Resources {
  /** Resident memory, kB. */
  readonly memory: number;
  readonly files: number;
  readonly sockets: number;
  /** UDP sockets, the ports of RTP among them. */
  readonly udp: number;
}

export function resourcesOf(pid: number): Resources {
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  const sockets = targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
  const udp = new Set(['udp', 'udp6'].flatMap((table) => inodesIn(`/proc/${pid}/net/${table}`)));
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    memory: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]),
    files: targets.length,
    sockets: sockets.length,
    udp: sockets.filter((inode) => udp.has(inode)).length,
  };
}

/** Empty when it has just been closed. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function inodesIn(table: string): string[] {
  const [, ...rows] = readFileSync(table, 'utf8').trim().split('\n');
  return rows.map((row) => row.trim().split(/\s+/)[9] ?? '');
}
