import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ZodError, type z } from 'zod';
import { type Config, type Setting, settings } from './schema.js';

/** Stops the start: one line that names the key, its value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

const all: readonly Setting[] = settings;

/**
 * Reads the configuration: defaults, then the file, then the environment, later wins.
 * @throws ConfigError
 */
export function loadConfig(environment: Environment, file?: string): Config {
  const given = new Map<string, { value: unknown; name: string }>();
  if (file !== undefined) {
    for (const [key, value] of Object.entries(readFile(file))) {
      if (!all.some((setting) => setting.key === key)) throw unknownKey(key, file, (setting) => setting.key);
      given.set(key, { value, name: `${key} in ${file}` });
    }
  }
  for (const [env, value] of Object.entries(environment)) {
    // An empty variable counts as unset: that is what `${NAME:-}` in a compose file gives.
    if (!env.startsWith('SONO_') || value === undefined || value === '') continue;
    const setting = all.find((candidate) => candidate.env === env);
    if (!setting) throw unknownKey(env, 'the environment', (candidate) => candidate.env);
    given.set(setting.key, { value, name: env });
  }
  const entries = all.map((setting) => {
    const { value, name } = given.get(setting.key) ?? { value: setting.default, name: setting.key };
    return [setting.key, check(setting, value, name)];
  });
  const config = Object.fromEntries(entries) as Config;
  checkTls(config);
  checkMedia(config);
  checkDialPolicy(config);
  return config;
}

function checkTls({ rtmpsPort, tlsCert, tlsKey }: Config): void {
  if (rtmpsPort && (tlsCert === undefined || tlsKey === undefined)) {
    throw new ConfigError(`SONO_RTMPS_PORT: ${rtmpsPort} needs a certificate; set SONO_TLS_CERT and SONO_TLS_KEY`);
  }
}

function checkMedia({ media, freeswitchHost, srtp }: Config): void {
  if (media === 'freeswitch' && freeswitchHost === undefined) {
    throw new ConfigError('SONO_MEDIA: freeswitch needs a FreeSWITCH server; set SONO_FREESWITCH_HOST');
  }
  if (media === 'freeswitch' && srtp === 'require') {
    throw new ConfigError('SONO_MEDIA: freeswitch knows no SRTP, which SONO_SRTP requires; auto does');
  }
}

/** Who reaches the gateway can call at its owner's cost: that is to be said, not to happen. */
function checkDialPolicy({ host, dialAllow }: Config): void {
  if (dialAllow !== undefined || host === 'localhost' || host === '::1' || host.startsWith('127.')) return;
  throw new ConfigError(
    `SONO_HOST: ${host} is reached from elsewhere; SONO_DIAL_ALLOW must say whom clients may call, such as *@example.com, or * for everybody`,
  );
}

/** JSON is YAML. An empty file is an empty configuration. */
function readFile(file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8')) ?? {};
  } catch (error) {
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new ConfigError(`cannot read the configuration file ${file}: ${firstLine?.replace(/:$/, '')}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigError(`the configuration file ${file} must hold settings, as in "rtmpPort: 1935"`);
  }
  return content as Record<string, unknown>;
}

function check(setting: Setting, value: unknown, name: string): unknown {
  try {
    return setting.type.parse(value);
  } catch (error) {
    const shown = setting.secret ? 'the value given' : JSON.stringify(value);
    throw new ConfigError(`${name}: ${shown} is not allowed; expected ${expectation(error)}`);
  }
}

function expectation(error: unknown): string {
  const issue: z.core.$ZodIssue | undefined = error instanceof ZodError ? error.issues[0] : undefined;
  if (!issue) return 'another value';
  return issue.code === 'invalid_value' ? `one of ${issue.values.join(', ')}` : issue.message;
}

function unknownKey(key: string, where: string, nameOf: (setting: Setting) => string): ConfigError {
  const [first, second, third] = all.map(nameOf).sort((a, b) => likeness(b, key) - likeness(a, key));
  return new ConfigError(
    `unknown setting ${key} in ${where}; did you mean ${first}, ${second} or ${third}? --help lists all`,
  );
}

/** From 0 to 1: how many pairs of letters two names share (the coefficient of Dice), whatever their case. */
function likeness(a: string, b: string): number {
  const pairs = (name: string) => {
    const letters = name.toLowerCase().replace(/^sono_/, ' ');
    return new Set(Array.from(letters, (_, at) => letters.slice(at, at + 2)));
  };
  const [ofA, ofB] = [pairs(a), pairs(b)];
  const shared = [...ofA].filter((pair) => ofB.has(pair)).length;
  return (2 * shared) / (ofA.size + ofB.size);
}
