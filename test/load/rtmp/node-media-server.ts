import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * node-media-server as a peer to be measured against: the folder that NODE_MEDIA_SERVER names, where `npm install node-media-server` was
 * run. It is no dependency of the repository, because some ninety packages come with it.
 */
const folder = process.env.NODE_MEDIA_SERVER;

/** Where the package is; undefined when it is not there. @throws Error when the folder named does not hold it */
export function nodeMediaServer(): string | undefined {
  if (folder === undefined) return undefined;
  const path = resolve(folder, 'node_modules/node-media-server');
  if (existsSync(join(path, 'package.json'))) return path;
  throw new Error(`NODE_MEDIA_SERVER=${folder}: there is no node_modules/node-media-server; npm install it there`);
}

export const howToGet =
  'node-media-server is not measured: mkdir /tmp/nms && npm install --prefix /tmp/nms node-media-server@4.3.2, then NODE_MEDIA_SERVER=/tmp/nms';

/** The file of its chunk stream. */
export const nmsRtmp = (path: string): string => join(path, 'src/protocol/rtmp.js');
