import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Codec, codecs } from './codec.js';
import { exitCode } from './exit-code.js';
import type { Credentials } from './phone.js';

export interface Arguments {
  readonly url: string;
  readonly dial?: string;
  readonly wait?: true;
  readonly credentials?: Credentials;
  readonly wav?: string;
  readonly record?: string;
  readonly codec: Codec;
  readonly seconds?: number;
  readonly dtmf?: string;
  readonly json?: true;
  readonly quiet?: true;
}

interface Parsed extends Omit<Arguments, 'credentials'> {
  readonly username?: string;
  readonly registrar?: string;
  readonly passwordEnv?: string;
}

const longestSeconds = 86_400;

/** @throws CommanderError, whose `exitCode` is 0 after --help and --version; it has already said what is wrong */
export function readArguments(argv: readonly string[], environment: NodeJS.ProcessEnv): Arguments {
  const program = phoneProgram();
  program.parse(argv, { from: 'user' });
  const { username, registrar, passwordEnv, ...parsed } = program.opts<Parsed>();
  const refuse = (message: string) => program.error(`error: ${message}`);
  if ((parsed.dial === undefined) === (parsed.wait === undefined)) {
    refuse('give either --dial <uri>, to call somebody, or --wait, to be called');
  }
  if (username === undefined) {
    if (registrar !== undefined) refuse('--registrar needs --username');
    if (passwordEnv !== undefined) refuse('--password-env needs --username');
    return parsed;
  }
  const password = passwordEnv === undefined ? undefined : environment[passwordEnv];
  if (passwordEnv !== undefined && !password) refuse(`the environment variable ${passwordEnv} is not set`);
  return { ...parsed, credentials: { username, registrar, password } };
}

function phoneProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return new Command('npm run phone --')
    .description('A headless RTMP phone that tests a deployment: makes or takes one call and says how it went')
    .version(version)
    .requiredOption(
      '--url <url>',
      'the gateway: rtmp, rtmps, rtmpe, rtmpt, rtmpts, rtmpte, ws or wss://host[:port]/path',
    )
    .option('--dial <uri>', 'whom to call, such as sip:echo@localhost')
    .option('--wait', 'be called: prints the own address and accepts the first call')
    .option(
      '--username <name>',
      'whom to register as, bob or bob@example.com; the gateway makes up an address without it',
    )
    .option('--registrar <host>', 'where to register, host[:port]')
    .option('--password-env <name>', 'environment variable that holds the password')
    .option('--wav <file>', 'what to say, PCM of any usual rate; without it a test sound of 5 s')
    .option('--record <file>', 'where to write what is heard, WAV of 16 kHz')
    .addOption(new Option('--codec <codec>', 'what to say it in').choices(codecs).default('speex'))
    .option('--seconds <number>', 'hang up after that time; without it after the end of the sound', readSeconds)
    .option('--dtmf <digits>', 'digits to press when the call is answered: 0-9, *, #, A-D', readDigits)
    .option('--json', 'a line of JSON for each event')
    .option('--quiet', 'say nothing but what went wrong')
    .addHelpText('after', exitCodeHelp)
    .exitOverride();
}

const exitCodeHelp = `
Exit codes:
  ${exitCode.heard}    the call was answered and something was heard
  1    a fault of the phone itself
  ${exitCode.usage}    an argument or a file cannot be used
  ${exitCode.unreachable}    the gateway cannot be reached, or the connection was lost
  ${exitCode.refused}    the connection, the registration, the call or the digits were refused
  ${exitCode.silent}    the call was answered, but nothing or only silence was heard
  ${exitCode.interrupted}  stopped by a signal before the call was answered
`;

function readSeconds(value: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : 0;
  if (seconds > 0 && seconds <= longestSeconds) return seconds;
  throw new InvalidArgumentError(`It is a number above 0 and up to ${longestSeconds}.`);
}

function readDigits(value: string): string {
  if (/^[0-9A-D*#]{1,32}$/i.test(value)) return value;
  throw new InvalidArgumentError('They are 1 to 32 of 0-9, *, # and A-D.');
}
