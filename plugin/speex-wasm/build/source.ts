import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { downloadSource } from './apt-source.js';

/** The upstream release, which Debian's and Ubuntu's source packages hold unchanged. */
const sourceName = 'speex-1.2.1.tar.gz';
export const sourceSha256 = '4b44d4f2b38a370a2d98a78329fefc56a0cf93d1c1be70029217baae6628feea';
const sourcePackage = 'speex';
const packedName = 'speex_1.2.1.orig.tar.gz';

/** What a person can do about a missing source. */
export const advice = `Set SPEEX_SOURCE to the path of ${sourceName} and build again, or build once on Debian with network`;

export type SourceOutcome = { readonly tarball: Uint8Array } | { readonly missing: string };

/**
 * libspeex's source, checked: from the path `given`, else from `cache`, else from the Debian source package.
 *
 * @param cache A folder, made when needed.
 */
export async function findSource(cache: URL, given: string | undefined): Promise<SourceOutcome> {
  if (given) return readChecked(pathToFileURL(given), `SPEEX_SOURCE (${given})`);
  const cached = new URL(sourceName, cache);
  const outcome = await readChecked(cached, 'the cached source');
  if ('tarball' in outcome) return outcome;
  await mkdir(cache, { recursive: true });
  const failure = await downloadSource(sourcePackage, packedName, cache, cached);
  if (failure !== undefined) return { missing: failure };
  return readChecked(cached, `the source package ${sourcePackage}`);
}

async function readChecked(file: URL, what: string): Promise<SourceOutcome> {
  let tarball: Uint8Array;
  try {
    tarball = await readFile(file);
  } catch (error) {
    return { missing: `${what} cannot be read: ${error instanceof Error ? error.message : error}` };
  }
  const sha256 = createHash('sha256').update(tarball).digest('hex');
  if (sha256 === sourceSha256) return { tarball };
  return { missing: `${what} is not ${sourceName}: its SHA-256 is ${sha256}, not ${sourceSha256}` };
}
