import { ClientHandshake } from '../handshake/client-handshake.js';
import type { Dial } from '../transport/dial.js';
import { fetchPoster } from '../transport/fetch-post.js';
import { dialPlatformWebSocket } from '../transport/platform-web-socket.js';
import { TunnelClientTransport } from '../transport/tunnel-client.js';
import { connectBy, type Platform, type RtmpConnectOptions } from './connect.js';
import type { RtmpConnection } from './types.js';

const tunnel: Dial = (target, options) =>
  TunnelClientTransport.open(target, fetchPoster(target, options.limits.tunnelAnswerSize), options);

const browserPlatform: Platform = {
  dials: { ws: dialPlatformWebSocket, wss: dialPlatformWebSocket, rtmpt: tunnel, rtmpts: tunnel },
  handshake: () => (input) => new ClientHandshake(input),
};

export const RtmpClient = {
  /**
   * As in Node, by what a browser has: `ws` and `wss`, and `rtmpt` and `rtmpts` by fetch, which another origin than
   * the page's has to allow: RtmpServer allows its `origins`.
   * @throws as in Node
   */
  connect(url: string, options: RtmpConnectOptions = {}): Promise<RtmpConnection> {
    return connectBy(browserPlatform, url, options);
  },
} as const;
