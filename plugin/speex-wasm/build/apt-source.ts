import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Milliseconds that all of it may take, and seconds that a server may be silent. */
const timeLimit = 30_000;
const silenceLimit = 5;

/**
 * Gets one file of a Debian source package into `target`, with the system's own package servers and keys but private
 * lists, so that neither root nor any change of the system is needed. Tried once.
 *
 * @returns why it could not be had, else undefined
 */
export async function downloadSource(name: string, file: string, cache: URL, target: URL): Promise<string | undefined> {
  const folder = await mkdtemp(join(fileURLToPath(cache), 'apt-'));
  try {
    const sources = await sourceEntries('/etc/apt/');
    if (sources.list === '' && sources.deb822 === '') return 'this system has no apt with Debian package sources';
    const apt = await privateApt(folder, sources);
    // Servers without source packages fail here, and do not matter as long as one has it.
    await apt('update').catch((error: unknown) => error);
    await apt('source', '--download-only', name);
    await rename(join(folder, 'work', file), target);
    return undefined;
  } catch (error) {
    return `the Debian source package ${name} could not be had: ${firstLine(error)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface AptSources {
  /** Lines as in sources.list(5). */
  readonly list: string;
  /** Stanzas of the same page's other format. */
  readonly deb822: string;
}

/** The system's entries for binary packages, turned into those for the source packages beside them. */
async function sourceEntries(etc: string): Promise<AptSources> {
  const folder = `${etc}sources.list.d/`;
  const names = await readdir(folder).catch(() => []);
  const texts = async (suffix: string): Promise<string[]> =>
    Promise.all(names.filter((name) => name.endsWith(suffix)).map((name) => readFile(folder + name, 'utf8')));
  const lists = [await readFile(`${etc}sources.list`, 'utf8').catch(() => ''), ...(await texts('.list'))];
  return {
    list: [...lists.join('\n').matchAll(/^deb(?=\s.*)(.*)$/gm)].map(([, entry]) => `deb-src${entry}\n`).join(''),
    deb822: (await texts('.sources')).map((text) => text.replace(/^Types:.*$/gim, 'Types: deb-src')).join('\n\n'),
  };
}

/** Runs apt-get with every folder that it writes to inside of `folder`. */
async function privateApt(folder: string, { list, deb822 }: AptSources) {
  const at = (...path: string[]): string => join(folder, ...path);
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial', 'state', 'work']) {
    await mkdir(at(name), { recursive: true });
  }
  await writeFile(at('sources.list'), list);
  await writeFile(at('parts/system.sources'), deb822);
  const settings = {
    'Dir::Etc::SourceList': at('sources.list'),
    'Dir::Etc::SourceParts': at('parts'),
    'Dir::State': at('state'),
    'Dir::State::Lists': at('lists'),
    'Dir::Cache': at('cache'),
    'Acquire::Retries': '0',
    'Acquire::http::Timeout': String(silenceLimit),
    'Acquire::https::Timeout': String(silenceLimit),
    'Acquire::Languages': 'none',
    // apt's own user cannot write into this user's folders.
    'APT::Sandbox::User': '',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const deadline = Date.now() + timeLimit;
  return (...command: string[]) =>
    run('apt-get', ['-qq', ...options, ...command], {
      cwd: at('work'),
      timeout: Math.max(1, deadline - Date.now()),
    });
}

function firstLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'apt-get is not installed';
  if ('killed' in error && error.killed === true) return `it took more than ${timeLimit / 1000} s`;
  // What apt says when not one list of source packages could be loaded.
  if (/deb-src/.test(error.message)) return 'no package server of this system answered with source packages';
  const stderr = 'stderr' in error ? String(error.stderr).trim() : '';
  return (stderr.split('\n').find((line) => line.startsWith('E:')) ?? error.message).split('\n')[0] ?? '';
}
