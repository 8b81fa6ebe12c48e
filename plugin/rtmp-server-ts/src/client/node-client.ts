import { ClientHandshake } from '../handshake/client-handshake.js';
import type { RtmpeType } from '../handshake/constants.js';
import { encryptedScheme } from '../handshake/encrypted-scheme.js';
import type { Dial } from '../transport/dial.js';
import { nodePoster } from '../transport/http-post.js';
import { type ClientTlsOptions, dialTcp } from '../transport/tcp.js';
import { TunnelClientTransport } from '../transport/tunnel-client.js';
import { dialWebSocket } from '../transport/web-socket.js';
import { connectBy, type Platform, type RtmpConnectOptions } from './connect.js';
import type { RtmpConnection } from './types.js';

export interface NodeConnectOptions extends RtmpConnectOptions {
  /** For rtmps, rtmpts and wss. Default: the authorities that Node trusts. */
  readonly tls?: ClientTlsOptions;
  /** What rtmpe and rtmpte ask for; the server's answer decides. Default 6. */
  readonly rtmpeType?: RtmpeType;
}

export const RtmpClient = {
  /**
   * Connects by what the URL says: `rtmp`, `rtmps`, `rtmpe`, `rtmpt`, `rtmpts`, `rtmpte`, `ws`, `wss`. Events that come with the
   * answer are held back for one turn of the event loop, so that listeners added after `await` miss none.
   * @throws RtmpCallError `connect.rejected` with the server's `info`; RtmpError `connect.url`, `connect.failed`, `connect.timeout`,
   * `handshake.*`, and what a server that speaks no RTMP can break: `chunk.*`, `message.*`, `amf.*`; RangeError for a wrong limit
   */
  connect(url: string, options: NodeConnectOptions = {}): Promise<RtmpConnection> {
    return connectBy(nodePlatform(options), url, options);
  },
} as const;

function nodePlatform({ tls = {}, rtmpeType }: NodeConnectOptions): Platform {
  const tcp: Dial = (target, options) => dialTcp(target, options);
  const webSocket: Dial = (target, options) => dialWebSocket(target, options, tls);
  const tunnel: Dial = (target, options) =>
    TunnelClientTransport.open(target, nodePoster(target, options.limits.tunnelAnswerSize), options);
  return {
    dials: {
      rtmp: tcp,
      rtmpe: tcp,
      rtmps: (target, options) => dialTcp(target, options, tls),
      rtmpt: tunnel,
      rtmpte: tunnel,
      rtmpts: (target, options) =>
        TunnelClientTransport.open(target, nodePoster(target, options.limits.tunnelAnswerSize, tls), options),
      ws: webSocket,
      wss: webSocket,
    },
    handshake: (protocol) => (input) =>
      protocol === 'rtmpe' || protocol === 'rtmpte'
        ? new ClientHandshake(input, encryptedScheme(rtmpeType))
        : new ClientHandshake(input),
  };
}
