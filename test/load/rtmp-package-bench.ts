import { Scope } from '../support/scope-class.js';
import { Figures } from './figures.js';
import { measureChunks } from './rtmp/chunks.js';
import { measureIdle } from './rtmp/idle.js';
import { measureEncryption, measureRelay } from './rtmp/relay.js';

/**
 * `npm run bench:rtmp`: the figures of rtmp-server-ts, one table; the other servers are measured in the same run, in turns with it.
 * PARTS (default chunks,relay,encryption,idle) says which; NODE_MEDIA_SERVER names the folder where node-media-server is installed;
 * PROFILE=FOLDER leaves CPU profiles of the servers there.
 */
const parts: Readonly<Record<string, (figures: Figures, scope: Scope) => void | Promise<void>>> = {
  chunks: (figures) => measureChunks(figures),
  relay: (figures, scope) => measureRelay(figures, scope, 200),
  encryption: (figures, scope) => measureEncryption(figures, scope, 50),
  idle: (figures, scope) => measureIdle(figures, scope, 10_000),
};

const figures = new Figures();
for (const name of (process.env.PARTS ?? Object.keys(parts).join(',')).split(',')) {
  const part = parts[name];
  if (part === undefined) throw new Error(`PARTS has ${name}, it may have ${Object.keys(parts).join(', ')}`);
  const scope = new Scope();
  try {
    await part(figures, scope);
  } finally {
    await scope.close();
  }
}
figures.print();
process.exit(0);
