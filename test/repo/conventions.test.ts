import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { listFiles, readText, root } from './source-tree.js';

const files = listFiles().filter((path) => !/\.(?:png|swf|wasm|pcap)$/.test(path));
const code = files.filter((path) => /\.(?:[cm]?tsx?|[cm]?js|json|ya?ml|xml|sh|py)$/.test(path));

/** Lines that match, as `path:line: text`. */
function linesWith(pattern: RegExp, paths: readonly string[]): string[] {
  return paths.flatMap((path) =>
    readText(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

/** Bracketed letters keep a pattern from finding itself here. */
const leftOver =
  /\b(?:T[O]DO|F[I]XME|X[X]X)\b|\b(?:it|test|describe)(?:\.\w+)*\.(?:[o]nly|[s]kip|[s]kipIf|[t]odo)\b|\bas [a]ny\b(?! [a-z])|@ts-[i]gnore|@ts-[n]ocheck/;

const machinePath = /(?:^|[\s"'`(=:])\/(?:hom[e]|roo[t]|User[s]|wor[k]|op[t])\/[\w.]/;

describe('the patterns', () => {
  it.each(['// TO' + 'DO: later', 'test.on' + 'ly("a")', 'it.sk' + 'ip("a")', 'x as an' + 'y', '// @ts-ig' + 'nore'])(
    'find %j',
    (line) => expect(leftOver.test(line)).toBe(true),
  );
  it.each(['the only(one)', 'input.skip(4)', 'as anything', 'as an' + 'y client', 'to do'])(
    'let %j through',
    (line) => {
      expect(leftOver.test(line)).toBe(false);
    },
  );
  it.each(['"/ho' + 'me/me/sono"', 'cd /wo' + 'rk/main', '/ro' + 'ot/.npmrc'])('find the path in %j', (line) => {
    expect(machinePath.test(line)).toBe(true);
  });
});

it('has no left-overs', () => {
  expect(linesWith(leftOver, code)).toEqual([]);
});

it('has no path of a machine', () => {
  expect(linesWith(machinePath, files)).toEqual([]);
  const own = [root.replace(/\/$/, ''), homedir()].filter((path) => path.length > 1);
  expect(files.filter((path) => own.some((folder) => readText(path).includes(`${folder}/`)))).toEqual([]);
});

interface Manifest {
  readonly name: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly workspaces?: readonly string[];
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifestPaths = files.filter((path) => /^(?:plugin\/[^/]+\/)?package\.json$/.test(path));
const manifests = manifestPaths.map((path) => JSON.parse(readText(path)) as Manifest);

it('pins every dependency to one version', () => {
  const ranges = manifests.flatMap(({ name, dependencies, devDependencies }) =>
    Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([dependency, version]) => `${name}: ${dependency} ${version}`),
  );
  expect(manifests.length).toBeGreaterThanOrEqual(4);
  expect(ranges).toEqual([]);
});

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

it('locks the optional packages of every platform: npm ci refuses a lock file that lacks one', () => {
  const { packages } = JSON.parse(readText('package-lock.json')) as { packages: Record<string, LockedPackage> };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`])
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

/** What the tests and the images run on. */
const isDebian = ({ os = [], libc = ['glibc'] }: LockedPackage) => os.includes('linux') && libc.includes('glibc');

it('locks packages without naming a registry', () => {
  const lock = JSON.parse(readText('package-lock.json')) as {
    packages: Record<string, LockedPackage>;
  };
  const entries = Object.entries(lock.packages).filter(([path]) => path.startsWith('node_modules/'));
  expect(entries.length).toBeGreaterThan(20);
  expect(entries.filter(([, { resolved }]) => resolved?.includes('://'))).toEqual([]);
  // A registry may lack an optional package for another platform: its version is locked all the same, its content cannot be.
  const unverified = entries.filter(([, { link, integrity, optional, os, ...rest }]) => {
    return !link && !integrity?.startsWith('sha512-') && !(optional && os && !isDebian({ os, ...rest }));
  });
  expect(unverified.map(([path]) => path)).toEqual([]);
  expect(readText('.npmrc')).not.toMatch(/registry\s*=/);
});

it('keeps its packages off the registry: private, linked from plugin/', () => {
  const packages = manifests.filter(({ name }) => name !== 'sono');
  expect(packages.map(({ name }) => name).sort()).toEqual(['embedded-sip', 'rtmp-server-ts', 'speex-wasm']);
  for (const { private: unpublished, license, engines } of manifests) {
    expect({ unpublished, license, engines }).toEqual({ unpublished: true, license: 'MIT', engines: { node: '>=20' } });
  }
});

it('has the MIT licence, a change log and a README', () => {
  expect(readText('LICENSE')).toMatch(/MIT License[\s\S]*Permission is hereby granted, free of charge/);
  expect(readText('CHANGELOG.md')).toMatch(/^# /);
  expect(readText('README.md')).toMatch(/^# /);
});

it('runs the same tests everywhere', () => {
  expect(readText('.ci/run')).toMatch(/^npm test\b/m);
  expect(readText('.github/workflows/ci.yml')).toContain('.ci/run');
});

it('describes in its README how to start it, to test it and to configure it, with scripts that exist', () => {
  const readme = readText('README.md');
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/\bnpm (?:run )?(start|test|[a-z]+:[a-z]+|bench|lint|format|build)\b/g)].map(
    ([, script]) => script ?? '',
  );
  expect(named).toEqual(expect.arrayContaining(['start', 'test']));
  expect(named.filter((script) => !(script in scripts))).toEqual([]);
});
