import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultWaitMs } from '../../../support/event-log.js';
import { freePort, isBound, loopback } from '../../../support/ports.js';
import { PeerProcess } from '../../../support/process.js';
import type { Scope } from '../../../support/scope.js';

export interface KamailioOptions {
  /** Longest time, in seconds, for which a registration is granted. */
  readonly expires?: number;
  readonly algorithm?: 'MD5' | 'SHA-256';
}

/** Kamailio as registrar and proxy, its bindings in memory. Every user has the same {@link Kamailio.password}. */
export class Kamailio {
  readonly port: number;
  readonly password = 'open sesame';
  readonly #process: PeerProcess;

  private constructor(process: PeerProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(scope: Scope, { expires = 3600, algorithm = 'MD5' }: KamailioOptions = {}): Promise<Kamailio> {
    const port = await freePort();
    return new Kamailio(await startKamailio(scope, port, configuration({ port, expires, algorithm })), port);
  }

  /** Host and port, as a registrar is named. */
  get address(): string {
    return `${loopback}:${this.port}`;
  }

  uri(user: string): string {
    return `sip:${user}@${this.address}`;
  }

  /** What it did with the registrations of a user: `saved alice 3600`, `refused alice`, `expired alice`. */
  registrations(user: string): string[] {
    return this.#process.stderr.all.flatMap((line) => registration.exec(line)?.[0] ?? []).filter(isOf(user));
  }

  /** The `count`th time that a user was registered, again or for the first time. */
  async saved(user: string, count: number): Promise<void> {
    const enough = () => this.registrations(user).filter((line) => /^saved \S+ [1-9]/.test(line)).length >= count;
    await this.#process.stderr.find(`registration ${count} of ${user}`, enough, { timeoutMs: 30_000 });
  }

  /** Until a user has taken its registration back. */
  async removed(user: string): Promise<void> {
    await this.#process.stderr.find(`${user} to unregister`, (line) => line.includes(`saved ${user} 0`));
  }
}

/** Runs Kamailio by a configuration that listens on this port over UDP and TCP, and waits until it does. */
export async function startKamailio(scope: Scope, port: number, configuration: string): Promise<PeerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'kamailio-'));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'kamailio.cfg'), configuration);
  const process = await PeerProcess.start(scope, 'setsid', ['sh', '-c', script], {
    cwd: folder,
    env: { PATH: `${globalThis.process.env.PATH}:/usr/sbin` },
  });
  let ended = false;
  void process.exited.then(() => {
    ended = true;
  });
  for (const deadline = Date.now() + defaultWaitMs; Date.now() < deadline && !ended; await sleep(20)) {
    if ((await isBound('udp', port)) && (await isBound('tcp', port))) return process;
  }
  throw new Error(
    `kamailio does not listen on port ${port}; "bash test/support/install-peers.sh" installs it:\n${process.stderr.tail()}`,
  );
}

const registration = /\b(?:saved \S+ \d+|refused \S+|expired \S+)/;
const isOf = (user: string) => (line: string) => line.split(' ')[1] === user;

/**
 * Kamailio is several processes. They end together, as a group, also when the first of them was killed: the pipe of
 * standard input ends with whoever started them.
 */
const script = `exec 3<&0 </dev/null
(cat <&3; kill -TERM 0) >/dev/null 2>&1 &
exec kamailio -f kamailio.cfg -DD -E -Y . -w . -n 1 -N 1 -m 16 -M 4 3<&-`;

const configuration = ({ port, expires, algorithm }: { port: number; expires: number; algorithm: string }): string => `
debug=1
log_stderror=yes
listen=udp:${loopback}:${port}
listen=tcp:${loopback}:${port}
auto_aliases=no
dns=no
rev_dns=no

loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"

modparam("auth", "algorithm", "${algorithm}")
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "min_expires", 0)
modparam("registrar", "max_expires", ${expires})

request_route {
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (has_totag()) {
    if (loose_route()) t_relay();
    else if (!is_method("ACK")) sl_send_reply("404", "No Route");
    else if (t_check_trans()) t_relay();
    exit;
  }
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("$td", "open sesame", "0")) {
      if ($hdr(Authorization) != $null) xlog("L_ERR", "refused $tU\\n");
      www_challenge("$td", "1");
      exit;
    }
    if ($au != $tU) {
      xlog("L_ERR", "refused $tU\\n");
      sl_send_reply("403", "Not Yours");
      exit;
    }
    if (save("location")) xlog("L_ERR", "saved $tU $hdr(Expires)\\n");
    exit;
  }
  record_route();
  if (!lookup("location")) {
    sl_send_reply("404", "Not Registered");
    exit;
  }
  t_relay();
}

event_route[usrloc:contact-expired] {
  xlog("L_ERR", "expired $ulc(exp=>aor)\\n");
}
`;
