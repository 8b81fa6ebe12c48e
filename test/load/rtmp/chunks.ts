import { once } from 'node:events';
import { type Figures, progress } from '../figures.js';
import { howToGet, nmsRtmp, nodeMediaServer } from './node-media-server.js';
import { plainNode } from './plain-node.js';

/** Chunks of node-media-server have 65,535 bytes whatever was agreed: with short ones there is nothing to compare the writing with. */
const loads = [
  { name: '100-byte audio', type: 'audio', length: 100, chunkSize: 4096 },
  { name: '8 kB video', type: 'video', length: 8_000, chunkSize: 4096 },
  { name: '8 kB video, chunks of 128', type: 'video', length: 8_000, chunkSize: 128 },
] as const;

/** Messages per second of processor time; null without the peer. */
interface Rates {
  readonly own: number;
  readonly other: number | null;
}

/** Chunk parsing and writing by this package and by node-media-server, in turns, a process for each load. */
export async function measureChunks(figures: Figures): Promise<void> {
  const path = nodeMediaServer();
  if (path === undefined) progress(howToGet);
  for (const { name, type, length, chunkSize } of loads) {
    progress(`${name}: parse and write`);
    const { parse, write } = await measure([type, String(length), String(chunkSize), ...(path ? [nmsRtmp(path)] : [])]);
    const goal = type === 'audio' ? 'at least 5' : '';
    tell(figures, `parse ${name}`, length, parse, goal);
    if (chunkSize === 4096) tell(figures, `write ${name}`, length, write, goal);
  }
}

async function measure(args: readonly string[]): Promise<{ readonly parse: Rates; readonly write: Rates }> {
  const child = await plainNode(new URL('chunk-rates.ts', import.meta.url), args);
  let output = '';
  child.stdout?.on('data', (data) => {
    output += data;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`chunk-rates.ts ended with ${code}`);
  return JSON.parse(output);
}

function tell(figures: Figures, figure: string, length: number, { own, other }: Rates, goal: string): void {
  figures.add(figure, `${(own / 1e6).toFixed(2)} million messages/s, ${((own * length) / 1e6).toFixed(0)} MB/s`);
  if (other === null) return;
  figures.add('  node-media-server', `${(other / 1e6).toFixed(2)} million messages/s`);
  figures.add('  as many times', (own / other).toFixed(2), goal);
}
