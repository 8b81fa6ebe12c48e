#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type App, startApp } from './app.js';
import { describeSettings } from './config/describe.js';
import { ConfigError, loadConfig } from './config/load.js';
import type { Config } from './config/schema.js';
import { type Address, StartError } from './ops/listen.js';
import { createLogger } from './ops/log.js';

/** Exit code for everything that the person who starts the program can put right. */
const usageError = 2;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function main(): Promise<void> {
  const file = readArguments();
  const config = loadConfig(process.env, file);
  const log = createLogger(config.logLevel);
  let app: App | undefined;
  stopOnSignal(() => app?.stop());
  app = await startApp(config, log);
  process.stdout.write(welcome(config, app));
}

/** @returns the configuration file, if one is named */
function readArguments(): string | undefined {
  const program = new Command('sono')
    .description('RTMP-SIP gateway: Flash and AIR phones and RTMP encoders make and take SIP calls')
    .version(version)
    .option('-c, --config <file>', 'configuration file, JSON or YAML')
    .addHelpText('after', `\nEnvironment (wins over the file) [default]:\n${describeSettings()}`)
    .exitOverride();
  program.parse();
  return program.opts<{ config?: string }>().config;
}

/** A terminal and npm each send Ctrl-C: what follows the first signal so closely is that one again. */
const sameSignalMs = 300;

/** The first signal ends the calls and stops; a second one stops at once. */
function stopOnSignal(stopApp: () => Promise<void> | undefined): void {
  let stoppingSince: number | undefined;
  const stop = () => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > sameSignalMs) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    void Promise.resolve(stopApp()).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function welcome(config: Config, { rtmp, rtmpt, rtmps, http, sip, echo }: App): string {
  const urls = [
    ...(rtmp ? [`rtmp://${reached(rtmp)}/sono`] : []),
    ...(rtmpt ? [`rtmpt://${reached(rtmpt)}/sono`] : []),
    ...(rtmps ? [`rtmps://${reached(rtmps)}/sono`] : []),
    ...(http ? [`ws://${reached(http)}/rtmp`] : []),
  ];
  const number = (name: string) => echo?.replace('echo', name);
  const web = http && `http://${reached(http.host === '127.0.0.1' ? { ...http, host: 'localhost' } : http)}`;
  return [
    `Sono ${version} is up on ${config.host}`,
    web
      ? `  open                ${web} for the web phone${echo === undefined ? '' : '; one click makes the first call'}`
      : '  the web phone is off (SONO_HTTP_PORT=0)',
    `  phones connect to   ${urls.join(' or ') || 'nothing: every port is off'}`,
    echo !== undefined
      ? `  and dial            ${echo} (hears itself), ${number('music')}, ${number('busy')} (486)`
      : `  and dial            ${config.dialAllow ? 'what SONO_DIAL_ALLOW allows' : 'any SIP address'}`,
    sip
      ? `  SIP phones call     ${reached(sip)}, UDP and TCP (embedded server, for trying out)`
      : `  SIP goes through    the drachtio server at ${config.drachtioHost}:${config.drachtioPort}`,
    '',
  ].join('\n');
}

/** As it stands in a URL; a listener of all addresses is reached at this machine's name for itself. */
function reached({ host, port }: Address): string {
  if (host === '0.0.0.0' || host === '::') return `localhost:${port}`;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

try {
  await main();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageError;
  } else if (error instanceof ConfigError || error instanceof StartError) {
    process.stderr.write(`sono: ${error.message}\n`);
    process.exitCode = usageError;
  } else {
    throw error;
  }
}
