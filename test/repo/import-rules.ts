import { type Import, importsOf, isRepositoryPath, type SourceTree, withoutComments } from './source-tree.js';

/** One of the numbered rules of "Who may import whom". */
export interface ImportRule {
  readonly name: string;
  /** What breaks the rule, one line each. */
  readonly offenders: (tree: SourceTree) => string[];
  /** Files that break it, and files that look alike and do not. */
  readonly examples: {
    readonly broken: Readonly<Record<string, string>>;
    readonly kept: Readonly<Record<string, string>>;
  };
}

const packages = ['rtmp-server-ts', 'embedded-sip', 'speex-wasm'] as const;
type Package = (typeof packages)[number];

const packageOf = (path: string): Package | undefined =>
  packages.find((name) => path.startsWith(`plugin/${name}/`) || path === name || path.startsWith(`${name}/`));
const inFolder =
  (...folders: readonly string[]) =>
  (path: string): boolean =>
    folders.some((folder) => path.startsWith(`plugin/${folder}/`));

const production = (path: string): boolean => path.startsWith('plugin/');

const importsIn = (tree: SourceTree): Import[] => [...tree].flatMap(([path, source]) => importsOf(path, source));
const show = ({ from, to }: Import): string => `${from} imports ${to}`;

/** The imports of files that `from` takes, without those whose target `allowed` takes. */
const others =
  (from: (path: string) => boolean, allowed: (to: string, from: string) => boolean) =>
  (tree: SourceTree): string[] =>
    importsIn(tree)
      .filter((entry) => from(entry.from) && !allowed(entry.to, entry.from))
      .map(show);

/** Files that `files` takes and that use one of the names. */
const uses =
  (files: (path: string) => boolean, names: RegExp) =>
  (tree: SourceTree): string[] =>
    [...tree].flatMap(([path, source]) => {
      const match = files(path) ? names.exec(withoutComments(source)) : null;
      return match ? [`${path} uses ${match[0]}`] : [];
    });

/** Folders of rtmp-server-ts from the top to the bottom: an import leads to a lower number, or stays in its folder. */
const rtmpLayers: Readonly<Record<string, number>> = {
  server: 6,
  client: 6,
  transport: 5,
  session: 4,
  message: 3,
  chunk: 2,
  handshake: 2,
  amf: 1,
  flv: 1,
  bytes: 0,
  events: 0,
  errors: -1,
};
const rtmpFolder = (path: string): string | undefined => /^plugin\/rtmp-server-ts\/src\/([^/]+)\//.exec(path)?.[1];

function pointsDown(to: string, from: string): boolean {
  const [source, target] = [rtmpFolder(from), rtmpFolder(to)];
  if (source === undefined || !isRepositoryPath(to) || source === target) return true;
  const [above, below] = [rtmpLayers[source], target === undefined ? undefined : rtmpLayers[target]];
  return above !== undefined && below !== undefined && below < above;
}

const browserEntry = 'plugin/rtmp-server-ts/src/browser.ts';

function nodeModulesInBrowser(tree: SourceTree): string[] {
  const seen = new Set<string>();
  const offenders: string[] = [];
  const visit = (path: string) => {
    const source = tree.get(path);
    if (source === undefined || seen.has(path)) return;
    seen.add(path);
    for (const entry of importsOf(path, source)) {
      if (entry.to.startsWith('node:')) offenders.push(`${show(entry)}, which ${browserEntry} reaches`);
      else visit(entry.to);
    }
  };
  visit(browserEntry);
  return offenders;
}

const timers = /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/;
const clocks =
  /\b(?:setTimeout|setInterval|setImmediate|Date\.now|performance\.|process\.hrtime|Math\.random)|\bnew Date\(\)/;

/** Packages that are wrapped in one file each. */
const wrapped = ['drachtio-srf', 'drachtio-fsmrf', 'drachtio-modesl', 'ws'];

const wrappedMoreThanOnce = (tree: SourceTree): string[] =>
  wrapped.flatMap((name) => {
    const importers = importsIn(tree).filter(({ to }) => to === name || to.startsWith(`${name}/`));
    const files = [...new Set(importers.map(({ from }) => from))];
    return files.length > 1 ? [`${name} is imported by ${files.join(' and ')}`] : [];
  });

/** The folders of media/ that hold codec and packet code; what knows sockets, timers and clocks is elsewhere. */
const packetCode = inFolder('media/audio', 'media/negotiation', 'media/rtp', 'media/srtp', 'media/video');
const encryption = inFolder('media/srtp');
const speexLoader = 'plugin/speex-wasm/src/node.ts';
const deterministic = (path: string): boolean =>
  (path !== speexLoader &&
    inFolder(
      'speex-wasm/src',
      'embedded-sip/src/message',
      ...['amf', 'flv', 'bytes', 'chunk', 'message'].map((folder) => `rtmp-server-ts/src/${folder}`),
    )(path)) ||
  packetCode(path);

/** Run by `npm run build`, never by the gateway. */
const buildScripts = inFolder('speex-wasm/build');

const startingPoints = ['plugin/main.ts', 'plugin/app.ts'];
const mayReadConfiguration = (path: string): boolean => startingPoints.includes(path) || inFolder('config')(path);

export const importRules: readonly ImportRule[] = [
  {
    name: '1. the packages know nothing of the gateway, and one another only through their public entry',
    offenders: (tree) => [
      ...others(
        (path) => packageOf(path) !== undefined,
        (to, from) =>
          isRepositoryPath(to)
            ? to.startsWith(`plugin/${packageOf(from)}/`)
            : packageOf(to) === undefined || isEntry(to),
      )(tree),
      ...others(
        (path) => packageOf(path) === undefined,
        (to) => packageOf(to) === undefined || (!isRepositoryPath(to) && isEntry(to)),
      )(tree),
    ],
    examples: {
      broken: {
        'plugin/rtmp-server-ts/src/a.ts': "import type { Call } from '../../call/call.js';",
        'plugin/embedded-sip/src/b.ts': "export * from '../../rtmp-server-ts/src/index.js';",
        'plugin/embedded-sip/src/c.ts': "import { Amf0 } from 'rtmp-server-ts/src/amf/amf0.js';",
        'plugin/media/d.ts': "const frames = await import('../speex-wasm/src/frames.js');",
      },
      kept: {
        'plugin/media/e.ts': "import { split } from 'speex-wasm';\nimport { rtp } from './rtp.js';",
        'plugin/rtmp-server-ts/src/f.ts': "import { createServer } from 'node:net';\nimport './bytes/reader.js';",
      },
    },
  },
  {
    name: '2. inside rtmp-server-ts imports point down, and the browser entry reaches no node: module',
    offenders: (tree) => [
      ...others((path) => rtmpFolder(path) !== undefined, pointsDown)(tree),
      ...nodeModulesInBrowser(tree),
    ],
    examples: {
      broken: {
        'plugin/rtmp-server-ts/src/chunk/a.ts': "import { Session } from '../session/session.js';",
        'plugin/rtmp-server-ts/src/amf/b.ts': "export { type AudioTag } from '../flv/audio-tag.js';",
        'plugin/rtmp-server-ts/src/bytes/c.ts': "import '../index.js';",
        'plugin/rtmp-server-ts/src/browser.ts': "export { connect } from './client/connect.js';",
        'plugin/rtmp-server-ts/src/client/connect.ts': "import { connect } from 'node:net';",
      },
      kept: {
        'plugin/rtmp-server-ts/src/session/d.ts': "import { read } from '../chunk/reader.js';\nimport './other.js';",
        'plugin/rtmp-server-ts/src/transport/e.ts': "import { connect } from 'node:net';",
      },
    },
  },
  {
    name: '3. call/ imports nothing but its own files',
    offenders: others(inFolder('call'), inFolder('call')),
    examples: {
      broken: {
        'plugin/call/a.ts': "import { randomUUID } from 'node:crypto';",
        'plugin/call/b.ts': "let x: import('rtmp-server-ts').RtmpSession;",
        'plugin/call/c.ts': "import {\n  Signalling,\n} from '../signalling/signalling.js';",
      },
      kept: { 'plugin/call/d.ts': "import type { Call } from './call.js';\n// import { x } from 'node:net';" },
    },
  },
  {
    name: '4. client/dialects know RTMP values and call commands; no SIP, no media, no timers',
    offenders: (tree) => [
      ...others(
        inFolder('client/dialects'),
        (to) => to === 'rtmp-server-ts' || to.startsWith('rtmp-server-ts/') || inFolder('client', 'call')(to),
      )(tree),
      ...uses(inFolder('client/dialects'), timers)(tree),
    ],
    examples: {
      broken: {
        'plugin/client/dialects/a.ts': "import { parseSdp } from '../../signalling/sdp.js';",
        'plugin/client/dialects/b.ts': "import { setTimeout } from 'node:timers/promises';",
        'plugin/client/dialects/c.ts': 'setTimeout(() => {}, 5);',
      },
      kept: {
        'plugin/client/dialects/d.ts':
          "import type { RpcCall } from 'rtmp-server-ts';\nimport { x } from '../../call/x.js';",
        'plugin/client/line.ts': 'setTimeout(() => {}, 5);',
      },
    },
  },
  {
    name: "5. signalling/ and media/ implement call's ports and never import each other",
    offenders: (tree) => [
      ...others(inFolder('signalling'), (to) => !isRepositoryPath(to) || inFolder('signalling', 'call')(to))(tree),
      ...others(inFolder('media'), (to) => !isRepositoryPath(to) || inFolder('media', 'call')(to))(tree),
      ...others(inFolder('media'), (to) => !/^(?:drachtio-srf|sdp-transform|embedded-sip)\b/.test(to))(tree),
      // What SIP says is below what is done with it.
      ...others(
        inFolder('signalling/drachtio', 'signalling/addresses', 'signalling/sdp'),
        (to) =>
          !inFolder('signalling')(to) || inFolder('signalling/drachtio', 'signalling/addresses', 'signalling/sdp')(to),
      )(tree),
    ],
    examples: {
      broken: {
        'plugin/signalling/drachtio/f.ts': "import { Invite } from '../invite.js';",
        'plugin/signalling/a.ts': "import { DirectMedia } from '../media/direct.js';",
        'plugin/media/b.ts': "import { parseSdp } from '../signalling/sdp.js';",
        'plugin/media/c.ts': "import { parse } from 'sdp-transform';",
        'plugin/media/d.ts': "import { Line } from '../client/line.js';",
      },
      kept: { 'plugin/media/e.ts': "import { MediaError } from '../call/ports.js';\nimport { x } from './rtp.js';" },
    },
  },
  {
    name: '6. drachtio-srf, drachtio-fsmrf, its drachtio-modesl and ws are imported in one file each',
    offenders: wrappedMoreThanOnce,
    examples: {
      broken: {
        'plugin/signalling/a.ts': "import Srf from 'drachtio-srf';",
        'plugin/signalling/b.ts': "import type { Dialog } from 'drachtio-srf/lib/dialog.js';",
      },
      kept: { 'plugin/signalling/c.ts': "import Srf from 'drachtio-srf';\nexport { SrfError } from 'drachtio-srf';" },
    },
  },
  {
    name: '7. codec and packet code knows no sockets, timers or clocks',
    offenders: (tree) => [
      ...others(
        deterministic,
        (to, from) => !to.startsWith('node:') || to === 'node:buffer' || (to === 'node:crypto' && encryption(from)),
      )(tree),
      // Keys are random, and come from outside.
      ...uses(encryption, /\brandom\w*/)(tree),
      ...uses(deterministic, clocks)(tree),
      ...others(deterministic, (to) => !inFolder('media')(to) || packetCode(to))(tree),
      ...others(deterministic, (to) => to !== speexLoader && to !== 'speex-wasm/node')(tree),
    ],
    examples: {
      broken: {
        'plugin/media/rtp/rtp.ts': "import { createSocket } from 'node:dgram';",
        'plugin/media/rtp/jitter.ts': 'const now = Date.now();',
        'plugin/media/video/pacer.ts': 'setTimeout(() => {}, 1);',
        'plugin/media/rtp/relay.ts': "import { open } from '../network/rtp-sockets.js';",
        'plugin/rtmp-server-ts/src/chunk/a.ts': 'const at = performance.now();',
        'plugin/embedded-sip/src/message/b.ts': "import { isIP } from 'node:net';",
        'plugin/media/negotiation/keys.ts': "import { createHmac } from 'node:crypto';",
        'plugin/media/srtp/keys.ts': "import { randomBytes } from 'node:crypto';",
        'plugin/speex-wasm/src/codec.ts': "import { loadSpeex } from './node.js';",
        'plugin/media/audio/transcoder.ts': "import { loadSpeex } from 'speex-wasm/node';",
      },
      kept: {
        'plugin/media/network/rtp-sockets.ts': "import { createSocket } from 'node:dgram';",
        'plugin/media/srtp/cipher.ts': "import { createCipheriv } from 'node:crypto';",
        'plugin/speex-wasm/src/node.ts': "import { readFile } from 'node:fs/promises';",
        'plugin/rtmp-server-ts/src/amf/c.ts': 'const date = new Date(milliseconds); // not Date.now()',
      },
    },
  },
  {
    name: '8. only main and app read configuration',
    offenders: (tree) => [
      ...others(
        (path) => !mayReadConfiguration(path),
        (to) => !inFolder('config')(to),
      )(tree),
      ...uses((path) => production(path) && path !== 'plugin/main.ts' && !buildScripts(path), /\bprocess\.env\b/)(tree),
    ],
    examples: {
      broken: {
        'plugin/client/a.ts': "import type { Config } from '../config/schema.js';",
        'plugin/embedded-sip/src/b.ts': 'const port = process.env.PORT;',
      },
      kept: { 'plugin/app.ts': "import type { Config } from './config/schema.js';" },
    },
  },
  {
    name: '9. production code never imports test/ or flash_phone/, and says what it imports',
    offenders: others(production, (to) => to !== 'computed' && !/^(?:test|flash_phone|\.\.)(?:\/|$)/.test(to)),
    examples: {
      broken: {
        'plugin/client/a.ts': "import { phone } from '../../test/support/phone.js';",
        'plugin/ops/b.ts': "require('../../flash_phone/web/index.js');",
        'plugin/ops/c.ts': "await import(folder + '/x.js');",
      },
      kept: { 'plugin/ops/d.ts': "const test = './test/';\nimport pino from 'pino';" },
    },
  },
  {
    name: "10. the phones share with the gateway its packages, its codecs' arithmetic and the status codes; the web phone knows no Node",
    offenders: (tree) => [
      ...others(
        (path) => path.startsWith('flash_phone/'),
        (to) => !to.startsWith('plugin/') || to === 'plugin/call/status.ts' || inFolder('media/audio')(to),
      )(tree),
      ...others(
        (path) => path.startsWith('flash_phone/web/') && !path.startsWith('flash_phone/web/build/'),
        (to) => !to.startsWith('node:') && to !== 'speex-wasm/node' && to !== 'rtmp-server-ts',
      )(tree),
    ],
    examples: {
      broken: {
        'flash_phone/web/src/a.ts': "import type { ClientPort } from '../../../plugin/call/ports.js';",
        'flash_phone/web/page/b.ts': "import { readFile } from 'node:fs/promises';",
        'flash_phone/web/src/c.ts': "import { RtmpClient } from 'rtmp-server-ts';",
        'flash_phone/headless/d.ts': "import { Direct } from '../../plugin/media/direct.js';",
      },
      kept: {
        'flash_phone/web/worklet/e.ts': "import { expand } from '../../../plugin/media/audio/g711.js';",
        'flash_phone/web/src/f.ts': "import { RtmpClient } from 'rtmp-server-ts/browser';",
        'flash_phone/headless/g.ts': "import { readFile } from 'node:fs/promises';\nimport 'rtmp-server-ts';",
      },
    },
  },
];

/** The names that the packages export: their own, and what their package.json lists beside it. */
function isEntry(specifier: string): boolean {
  return packages.some((name) => specifier === name || specifier === `${name}/browser` || specifier === `${name}/node`);
}
