import { answers } from './control-port.js';
import { howToSet, type LiveSettings, readFreeSwitch, readSettings } from './settings.js';

/** Before the first test: a run that cannot work ends with one line that says what to set. */
export default async function checkSettings(): Promise<void> {
  const settings: LiveSettings = attempt(readSettings);
  const address = `${settings.host}:${settings.port}`;
  const running = await answers(settings);
  if (settings.command === undefined) {
    if (!running) refuse(`no drachtio server answers at ${address}: start it, or ${howToSet}`);
    process.stdout.write(
      'SONO_LIVE_DRACHTIO_COMMAND is not set: the tests that kill the server and start it again are skipped. ' +
        'Set it to a command that starts the server in the foreground; the tests then start the server themselves.\n',
    );
  } else if (running) {
    refuse(
      `a server listens at ${address}, which SONO_LIVE_DRACHTIO_COMMAND is to start: stop it, or unset the variable`,
    );
  }
  await checkFreeSwitch();
}

async function checkFreeSwitch(): Promise<void> {
  const freeSwitch = attempt(readFreeSwitch);
  if (freeSwitch === undefined) {
    process.stdout.write('SONO_LIVE_FREESWITCH is not set: the tests with a FreeSWITCH server are skipped.\n');
    return;
  }
  const address = `${freeSwitch.host}:${freeSwitch.port}`;
  const running = await answers(freeSwitch);
  if (freeSwitch.command === undefined && !running) refuse(`no FreeSWITCH server answers at ${address}: start it`);
  if (freeSwitch.command !== undefined && running) {
    refuse(`a server listens at ${address}, which SONO_LIVE_FREESWITCH_COMMAND is to start: stop it`);
  }
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
