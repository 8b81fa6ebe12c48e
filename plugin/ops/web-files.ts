import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

interface WebFile {
  readonly body: Buffer;
  /** Absent where it would not be smaller. */
  readonly gzip: Buffer | undefined;
  readonly type: string;
  readonly tag: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
const plainText = 'text/plain; charset=utf-8';

/** Nothing but what this gateway serves; what a caller names himself is never code. */
const policy = (inline: string) =>
  [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval'${inline}`,
    `style-src 'self'${inline}`,
    "connect-src 'self'",
    "img-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ');

/** The web phone's files, read once: a request can name no file but these. */
export class WebFiles {
  readonly #files: ReadonlyMap<string, WebFile>;
  readonly #origins: readonly string[];

  /** @param folder may be absent @param origins whose pages may use the API's files, `*` for all */
  constructor(folder: string, origins: readonly string[] = []) {
    this.#files = new Map(readFolder(folder, '/'));
    this.#origins = origins;
  }

  get empty(): boolean {
    return this.#files.size === 0;
  }

  /** @returns false when there is no such file */
  serve(path: string, { method, headers }: IncomingMessage, response: ServerResponse): boolean {
    const file = this.#files.get(path.endsWith('/') ? `${path}index.html` : path);
    if (file === undefined) return false;
    const compressed = file.gzip !== undefined && /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
    const body = (compressed ? file.gzip : undefined) ?? file.body;
    this.#allow(headers.origin, response);
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('ETag', file.tag);
    if (file.type.startsWith('text/html')) {
      // The examples show themselves how a page uses the phone.
      const inline = path.startsWith('/examples/') ? " 'unsafe-inline'" : '';
      response.setHeader('Content-Security-Policy', policy(inline));
      response.setHeader('Referrer-Policy', 'no-referrer');
    }
    if (headers['if-none-match'] === file.tag) {
      response.writeHead(304).end();
      return true;
    }
    response.writeHead(200, {
      'Content-Type': file.type,
      'Content-Length': body.length,
      ...(compressed && { 'Content-Encoding': 'gzip' }),
    });
    response.end(method === 'HEAD' ? undefined : body);
    return true;
  }

  /** Fetch standard, section 3.2 (CORS): modules, worklets and codecs are fetched so. */
  #allow(origin: string | undefined, response: ServerResponse): void {
    response.setHeader('Vary', 'Origin, Accept-Encoding');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    if (origin === undefined || !(this.#origins.includes('*') || this.#origins.includes(origin))) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
  }
}

function* readFolder(folder: string, prefix: string): Iterable<[string, WebFile]> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* readFolder(path, `${prefix}${entry.name}/`);
    else if (entry.isFile()) yield [prefix + entry.name, readWebFile(path)];
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function readWebFile(path: string): WebFile {
  const body = readFileSync(path);
  const gzip = gzipSync(body);
  return {
    body,
    gzip: gzip.length < body.length ? gzip : undefined,
    type: types[extname(path)] ?? plainText,
    tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
  };
}
