import { gunzipSync } from 'node:zlib';

/** The regular files of a .tar.gz by path (POSIX ustar: blocks of 512 octets, a header before each file). */
export function untarGzip(tarball: Uint8Array): Map<string, Buffer> {
  const tar = gunzipSync(tarball);
  const files = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= tar.length; ) {
    const field = (from: number, length: number): string =>
      tar.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12).trim() || '0', 8);
    const type = field(156, 1);
    at += 512;
    if (type === '0' || type === '') files.set(field(-512, 100), tar.subarray(at, at + size));
    at += Math.ceil(size / 512) * 512;
  }
  return files;
}
