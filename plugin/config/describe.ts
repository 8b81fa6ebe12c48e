import { type Setting, settings } from './schema.js';

/** The settings as they stand in `--help`. */
export function describeSettings(): string {
  const all: readonly Setting[] = settings;
  const rows = all.map((setting) => ({ name: setting.env, value: defaultOf(setting), doc: setting.doc }));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, value, doc }) => `  ${name.padEnd(width)}  ${plain(doc)} [${plain(value)}]`).join('\n');
}

/** The default in words, also for the README's table. */
export function defaultOf(setting: Setting): string {
  return setting.unset ?? (typeof setting.default === 'string' ? setting.default : JSON.stringify(setting.default));
}

const plain = (markdown: string): string => markdown.replaceAll('`', '');
