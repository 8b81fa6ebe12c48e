import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a process that was started with this keeps in memory can be asked for. */
export const heapOptions = (folder: string): readonly string[] => [
  '--heapsnapshot-signal=SIGUSR2',
  `--diagnostic-dir=${folder}`,
];

export interface Heap {
  /** Objects that are alive, by the name of their class. */
  readonly objects: ReadonlyMap<string, number>;
  /** Octets of all that is alive. */
  readonly octets: number;
}

const waitMs = 60_000;

/** Has a process write down its heap, which collects the garbage first, and counts what is left. */
export async function heapOf(pid: number, folder: string): Promise<Heap> {
  process.kill(pid, 'SIGUSR2');
  const file = await snapshotIn(folder);
  const heap = count(JSON.parse(await readFile(file, 'utf8')) as Snapshot);
  await rm(file);
  return heap;
}

/** V8's format: each node is so many numbers in a row, whose meaning the file tells. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[]] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

function count({ snapshot: { meta }, nodes, strings }: Snapshot): Heap {
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => meta.node_fields.indexOf(field));
  const object = meta.node_types[0].indexOf('object');
  const objects = new Map<string, number>();
  let octets = 0;
  for (let at = 0; at < nodes.length; at += meta.node_fields.length) {
    octets += nodes[at + (size ?? 0)] ?? 0;
    if (nodes[at + (type ?? 0)] !== object) continue;
    const className = strings[nodes[at + (name ?? 0)] ?? 0] ?? '';
    objects.set(className, (objects.get(className) ?? 0) + 1);
  }
  return { objects, octets };
}

async function snapshotIn(folder: string): Promise<string> {
  for (const deadline = Date.now() + waitMs; Date.now() < deadline; await sleep(200)) {
    const found = (await readdir(folder)).find((file) => file.endsWith('.heapsnapshot'));
    // It is being written until its last bracket is there.
    if (found && (await readFile(join(folder, found), 'utf8')).trimEnd().endsWith(']}')) return join(folder, found);
  }
  throw new Error(`no heap snapshot within ${waitMs} ms`);
}
