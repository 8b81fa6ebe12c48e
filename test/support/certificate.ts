import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './process.js';
import type { Scope } from './scope.js';

/** Makes a certificate for 127.0.0.1 and localhost, signed by itself, and returns the paths of its PEM files. */
export async function makeCertificate(scope: Scope, commonName = 'localhost'): Promise<{ cert: string; key: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await runProgram('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${commonName}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', key, '-out', cert],
  ]);
  return { cert, key };
}
