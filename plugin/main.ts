#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type App, startApp } from './app.js';
import { describeSettings } from './config/describe.js';
import { ConfigError, loadConfig } from './config/load.js';
import type { Config } from './config/schema.js';
import { StartError } from './ops/listen.js';
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

function welcome(config: Config, { rtmp, rtmps, http, sip }: App): string {
  const urls = [
    ...(rtmp ? [`rtmp://${hostPort(rtmp.host, rtmp.port)}/sono`] : []),
    ...(rtmps ? [`rtmps://${hostPort(rtmps.host, rtmps.port)}/sono`] : []),
    ...(http ? [`ws://${hostPort(http.host, http.port)}/rtmp`] : []),
  ];
  const local = sip && sip.port !== 5060 ? `localhost:${sip.port}` : 'localhost';
  const web = http && `http://${hostPort(http.host === '127.0.0.1' ? 'localhost' : http.host, http.port)}`;
  return [
    `Sono ${version} is up on ${config.host}`,
    web
      ? `  open                ${web} for the web phone; one click makes the first call`
      : '  the web phone is off (SONO_HTTP_PORT=0)',
    `  phones connect to   ${urls.join(' or ') || 'nothing: every port is off'}`,
    sip
      ? `  and dial            sip:echo@${local} (hears itself), sip:music@${local}, sip:busy@${local} (486)`
      : '  and dial            any SIP address',
    sip
      ? `  SIP phones call     ${hostPort(sip.host, sip.port)}, UDP and TCP (embedded server, for trying out)`
      : `  SIP goes through    the drachtio server at ${config.drachtioHost}:${config.drachtioPort}`,
    '',
  ].join('\n');
}

const hostPort = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

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
