import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { HttpServer } from '../../../plugin/ops/http.js';
import { WebFiles } from '../../../plugin/ops/web-files.js';
import { type Scope, test } from '../../support/scope.js';

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

type Ask = (path: string, options?: { method?: string; headers?: Record<string, string> }) => Promise<Answer>;

/** A server of a folder with a page, a script and a secret beside it. */
async function serve(scope: Scope, { built = true, origins = [] as string[] } = {}): Promise<Ask> {
  const folder = mkdtempSync(join(tmpdir(), 'web-files-'));
  scope.defer(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  if (built) {
    mkdirSync(join(folder, 'web', 'examples'), { recursive: true });
    writeFileSync(join(folder, 'web', 'index.html'), '<p>phone</p>');
    writeFileSync(join(folder, 'web', 'sono-phone.js'), 'let phone;\n'.repeat(100));
    writeFileSync(join(folder, 'web', 'speex.wasm'), Buffer.of(0, 97, 115, 109));
  }
  const server = new HttpServer({
    notReady: () => undefined,
    upgrade: (_request, socket) => socket.destroy(),
    webFiles: new WebFiles(join(folder, 'web'), origins),
    phoneSettings: () => ({ echo: 'sip:echo@localhost' }),
  });
  const { port } = await server.listen('127.0.0.1', 0);
  scope.defer(() => server.close());
  return (path, { method = 'GET', headers = {} } = {}) =>
    new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(parts).toString('latin1'),
          });
        });
      });
      asked.on('error', reject);
      asked.end();
    });
}

describe('the web phone over HTTP', () => {
  test('is the page at /, with a policy that lets in nothing from elsewhere', async ({ scope }) => {
    const ask = await serve(scope);
    const { status, headers, body } = await ask('/?from=mail');
    expect([status, body]).toEqual([200, '<p>phone</p>']);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*script-src 'self' 'wasm-unsafe-eval'/);
    expect(headers['content-security-policy']).not.toContain('unsafe-inline');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  test('has types, compresses, and is asked again without being sent again', async ({ scope }) => {
    const ask = await serve(scope);
    expect((await ask('/speex.wasm')).headers['content-type']).toBe('application/wasm');
    const script = await ask('/sono-phone.js', { headers: { 'accept-encoding': 'br, gzip' } });
    expect(script.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/javascript; charset=utf-8',
    });
    const again = await ask('/sono-phone.js', { headers: { 'if-none-match': String(script.headers.etag) } });
    expect([again.status, again.body]).toEqual([304, '']);
    const head = await ask('/sono-phone.js', { method: 'HEAD' });
    expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', '1100']);
  });

  test.for([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '//secret.txt',
    '/examples/',
    '/index.html/',
    '/x',
  ])('has no %s', async (path, { scope }) => {
    const ask = await serve(scope);
    expect((await ask(path)).status).toBe(404);
  });

  test.for(['POST', 'PUT', 'DELETE', 'OPTIONS'])('does not take %s', async (method, { scope }) => {
    const ask = await serve(scope);
    expect((await ask('/', { method })).status).toBe(405);
  });

  test('lets pages of the allowed origins use the API, and no others', async ({ scope }) => {
    const ask = await serve(scope, { origins: ['https://shop.example'] });
    const from = async (origin: string) => (await ask('/sono-phone.js', { headers: { origin } })).headers;
    expect(await from('https://shop.example')).toMatchObject({ 'access-control-allow-origin': 'https://shop.example' });
    expect(await from('https://elsewhere.example')).not.toHaveProperty('access-control-allow-origin');
  });

  test('says what to do where it was not built', async ({ scope }) => {
    const ask = await serve(scope, { built: false });
    const { status, body } = await ask('/');
    expect([status, body]).toEqual([503, 'the web phone is not built; npm run build builds it\n']);
    expect((await ask('/healthz')).status).toBe(200);
  });
});
