import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Made by tools, kept out of the repository by .gitignore. */
const generated = new Set(['.git', 'node_modules', 'dist', 'coverage', '.cache']);

/** Paths from the root of everything in the repository, with `/`. */
export function listFiles(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (generated.has(entry.name) || entry.name.endsWith('.log')) return [];
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Sources by path. */
export type SourceTree = ReadonlyMap<string, string>;

export const sourceTree = (folder: string): SourceTree =>
  new Map(
    listFiles(folder)
      .filter((path) => /\.[cm]?[jt]sx?$/.test(path))
      .map((path) => [path, readText(path)]),
  );

export interface Import {
  /** The file that imports. */
  readonly from: string;
  /** A path from the root for files of the repository, else the specifier as it stands; `computed` when it is none. */
  readonly to: string;
}

const computed = 'computed';

/** Static, dynamic and type imports, re-exports and require calls. */
export function importsOf(path: string, source: string): Import[] {
  const code = withoutComments(source);
  const specifiers = [
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*(['"])(?<specifier>[^'"\n]+)\1/g,
    /\bimport\s*(['"])(?<specifier>[^'"\n]+)\1/g,
    /\b(?:import|require)\s*\(\s*(['"`])(?<specifier>[^'"`\n$]+)\1\s*[,)]/g,
  ].flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match.groups?.specifier ?? computed));
  const calls = [...code.matchAll(/\b(?:import|require)\s*\(\s*(?!(['"`])[^'"`\n$]+\1\s*[,)])/g)];
  return [...specifiers, ...calls.map(() => computed)].map((specifier) => ({
    from: path,
    to: resolveSpecifier(path, specifier),
  }));
}

/** The code with its comments blanked; strings stay, as a comment's beginning inside of one is none. */
export function withoutComments(source: string): string {
  const tokens = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return source.replace(tokens, (token) => (token.startsWith('/') ? ' ' : token));
}

/** NodeNext: a relative specifier names the file that will be built. */
function resolveSpecifier(from: string, specifier: string): string {
  if (!specifier.startsWith('.') && !specifier.startsWith('/')) return specifier;
  return posix.join(posix.dirname(from), specifier).replace(/\.([cm]?)js$/, '.$1ts');
}

export const isRepositoryPath = (to: string): boolean => /^(?:\.\.|plugin|test|flash_phone)(?:\/|$)/.test(to);
