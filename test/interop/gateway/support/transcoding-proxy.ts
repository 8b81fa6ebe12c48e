import { freePort, freePortRange, loopback, untilBound } from '../../../support/ports.js';
import { PeerProcess } from '../../../support/process.js';
import type { Scope } from '../../../support/scope.js';
import { startKamailio } from '../../phone/support/kamailio.js';

/** Who the calls are for, as Kamailio names a next hop. */
interface Callee {
  readonly uri: string;
}

export interface TranscodingProxyOptions {
  /** What is done to the codecs of the offer, in words of rtpengine. By default the callee gets no Speex. */
  readonly codecs?: string;
  /** Further arguments of rtpengine. */
  readonly rtpengine?: readonly string[];
}

/**
 * Kamailio with rtpengine in userland: every call to it goes on to one callee, its media through rtpengine, which speaks
 * what the caller offers on one side, and G.711 without encryption on the other. Its Speex, SRTP and comfort noise are not
 * ours.
 */
export class TranscodingProxy {
  readonly uri: string;

  private constructor(port: number) {
    this.uri = `sip:somebody@${loopback}:${port}`;
  }

  static async start(scope: Scope, callee: Callee, options: TranscodingProxyOptions = {}): Promise<TranscodingProxy> {
    const { codecs = 'codec-consume-speex', rtpengine: more = [] } = options;
    const [control, port, media] = [await freePort(), await freePort(), await freePortRange(40)];
    const rtpengine = await PeerProcess.start(scope, 'rtpengine', [
      ...['--config-file=none', '--foreground', '--log-stderr', '--log-level=5', '--table=-1'],
      ...[`--interface=${loopback}`, `--listen-ng=${loopback}:${control}`],
      ...[`--port-min=${media.min}`, `--port-max=${media.max}`, ...more],
    ]);
    if (!(await untilBound('udp', control))) {
      throw new Error(
        `rtpengine does not run; "bash test/support/install-peers.sh" installs it:\n${rtpengine.stderr.tail()}`,
      );
    }
    await startKamailio(scope, port, configuration({ port, control, codecs }, callee));
    return new TranscodingProxy(port);
  }
}

interface Ports {
  readonly port: number;
  readonly control: number;
  readonly codecs: string;
}

const configuration = ({ port, control, codecs }: Ports, { uri }: Callee): string => `
debug=1
log_stderror=yes
listen=udp:${loopback}:${port}
listen=tcp:${loopback}:${port}
auto_aliases=no
dns=no
rev_dns=no

loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "rtpengine.so"

modparam("rtpengine", "rtpengine_sock", "udp:${loopback}:${control}")

request_route {
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (has_totag()) {
    if (is_method("BYE")) rtpengine_delete();
    if (loose_route()) t_relay();
    else if (t_check_trans()) t_relay();
    exit;
  }
  record_route();
  rtpengine_offer("replace-origin replace-session-connection ICE=remove RTP/AVP ${codecs}");
  t_on_reply("ANSWER");
  $ru = "${uri}";
  t_relay();
}

onreply_route[ANSWER] {
  if (has_body("application/sdp")) rtpengine_answer("replace-origin replace-session-connection ICE=remove");
}
`;
