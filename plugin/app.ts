import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { EmbeddedSip } from 'embedded-sip';
import { type RtmpLogEvent, RtmpServer } from 'rtmp-server-ts';
import { SpeexCodec } from 'speex-wasm';
import { loadSpeex } from 'speex-wasm/node';
import type { MediaPort } from './call/ports.js';
import { CallRegistry } from './call/registry.js';
import { serveClient } from './client/client.js';
import { Lines } from './client/lines.js';
import type { SharedStreams } from './client/streams.js';
import type { Config } from './config/schema.js';
import { DirectMedia } from './media/direct.js';
import { Ffmpeg } from './media/ffmpeg/ffmpeg.js';
import { AutoMedia } from './media/freeswitch/auto.js';
import { FreeSwitchMedia } from './media/freeswitch/freeswitch.js';
import { FreeSwitchPool } from './media/freeswitch/pool.js';
import { callLog } from './ops/call-log.js';
import { HttpServer } from './ops/http.js';
import { type Address, listen, startError } from './ops/listen.js';
import type { Logger } from './ops/log.js';
import { WebFiles } from './ops/web-files.js';
import { DialPolicy } from './signalling/addresses/dial-policy.js';
import { DrachtioConnection } from './signalling/drachtio/drachtio.js';
import type { LocalOptions } from './signalling/registrar/local-service.js';
import { parseSdp, writeSdp } from './signalling/sdp/sdp.js';
import { DrachtioSignalling, systemTimers } from './signalling/signalling.js';

export interface App {
  /** Where the gateway listens; absent when turned off or elsewhere. */
  readonly rtmp: Address | undefined;
  readonly rtmpt: Address | undefined;
  readonly rtmps: Address | undefined;
  readonly http: Address | undefined;
  readonly sip: Address | undefined;
  /** The number at which callers hear themselves, where there is one and they may call it. */
  readonly echo: string | undefined;
  /** Ends all calls (BYE, status 0), waits for the far ends for `graceMs` at most, then closes everything. */
  stop(graceMs?: number): Promise<void>;
}

const defaultGraceMs = 4_000;
/** How long the registrars may take to confirm that clients have gone. */
const unregisterMs = 800;

/** Beside the compiled gateway. */
const webFolder = fileURLToPath(new URL('web/', import.meta.url));

/**
 * Puts the gateway together and starts it.
 * @throws StartError when an address cannot be had; nothing is left open then.
 */
export async function startApp(config: Config, log: Logger): Promise<App> {
  const opened: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of opened.reverse()) await close();
  };
  try {
    return await assemble(config, log, opened, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Whatever is opened goes onto `opened`, to be closed in reverse order. */
async function assemble(
  config: Config,
  log: Logger,
  opened: (() => Promise<void> | void)[],
  closeAll: () => Promise<void>,
): Promise<App> {
  const speex = await findSpeex(log);
  const embedded = config.drachtioHost === undefined ? await startEmbeddedSip(config, log, speex) : undefined;
  if (embedded) opened.push(() => embedded.close());
  const connection = new DrachtioConnection(embedded?.control ?? drachtioServer(config));
  opened.push(() => connection.close());
  const identity = followConnection(connection, config, log);
  const pool = freeSwitchPool(config, connection, log);
  if (pool) opened.push(() => pool.close());
  const media = mediaPort(config, await directMedia(config, speex, log), pool, log);
  const policy = dialPolicy(config);
  const signalling = new DrachtioSignalling(connection, {
    fromName: config.fromName,
    timers: systemTimers,
    policy,
    ...(config.dialDomain !== undefined && { dialDomain: config.dialDomain }),
    ...(config.registrar !== undefined && { registrar: config.registrar }),
    ...(config.outboundProxy !== undefined && { outboundProxy: config.outboundProxy }),
    ...((embedded || config.localDomains) && { local: localService(config, log) }),
  });
  // Registrations end with their clients; the registrars are to hear of it while there is a connection.
  opened.push(() => within(unregisterMs, signalling.left()));

  const calls = new CallRegistry();
  const rtmpServer = serveRtmp(config, { signalling, media, calls, identity, log });
  opened.push(() => rtmpServer.close());
  const listening = await listenRtmp(config, rtmpServer);
  const echoNumber = embedded && echoAddress(embedded.sip.port);
  const echo = echoNumber !== undefined && policy.allows(echoNumber) ? echoNumber : undefined;
  const httpServer = new HttpServer({
    upgrade: (request, socket, head) => rtmpServer.handleUpgrade(request, socket, head),
    notReady: () => whyNotReady(config, connection, identity, pool),
    details: () => pool?.description ?? [],
    webFiles: new WebFiles(webFolder, config.origins),
    phoneSettings: () => (echo === undefined ? {} : { echo }),
  });
  const http = await listen('HTTP', 'SONO_HTTP_PORT', config.host, config.httpPort, ({ host, port }) =>
    httpServer.listen(host, port),
  );
  if (http) opened.push(() => httpServer.close());

  pool?.start();
  const connected = connection.connect();
  // The embedded server answers at once; a server elsewhere may come up later, and /readyz tells.
  if (embedded) await connected;
  return {
    ...listening,
    http,
    sip: embedded?.sip,
    echo,
    stop: async (graceMs = defaultGraceMs) => {
      log.info({ calls: calls.size }, 'stopping; a second signal stops at once');
      const reason = 'the gateway is shutting down';
      const ended = Promise.all([calls.endAll({ result: 'shutdown', reason }), signalling.endLocalCalls(reason)]);
      await within(graceMs, ended);
      if (calls.size > 0) log.warn({ calls: calls.size }, 'calls that the far end did not confirm as ended');
      await closeAll();
    },
  };
}

interface RtmpParts {
  readonly signalling: DrachtioSignalling;
  readonly media: MediaPort;
  readonly calls: CallRegistry;
  readonly identity: Identity;
  readonly log: Logger;
}

/** Every RTMP connection is a client with a line of its own, which calls to its address reach. */
function serveRtmp(config: Config, { signalling, media, calls, identity, log }: RtmpParts): RtmpServer {
  const lines = new Lines();
  signalling.onInvite((invite) => {
    if (!lines.route(invite)) log.info(invite.caller, 'call for nobody here');
  });
  signalling.onMessage((called, message) => lines.deliver(called, message));
  const shared: SharedStreams = new Map();
  const server = new RtmpServer({
    logger: (event) => logRtmp(log, event),
    ...(config.origins && { origins: config.origins }),
    ...(config.trustedProxies && { trustedProxies: config.trustedProxies }),
  });
  server.on('error', (error) => log.error({ error: error.message }, 'RTMP listener failed'));
  server.on('connection', (session) => {
    const observer = callLog(log, calls, session.id);
    serveClient(session, {
      ports: { signalling, media, timers: systemTimers, observer, earlyMedia: config.earlyMedia },
      calls,
      domain: () => identity.domain(),
      ringTimeMs: config.ringSeconds * 1000,
      lines,
      registrations: signalling,
      messages: signalling,
      shared,
      log,
    });
  });
  return server;
}

async function listenRtmp(config: Config, server: RtmpServer): Promise<Pick<App, 'rtmp' | 'rtmpt' | 'rtmps'>> {
  const { host, rtmpPort, rtmptPort, policyPort, rtmpsPort, tlsCert: cert = '', tlsKey: key = '' } = config;
  const plain = (address: Address) => server.listen(address);
  const secure = (address: Address) => server.listen({ ...address, tls: { cert, key } });
  await listen('Flash policy', 'SONO_POLICY_PORT', host, policyPort, plain);
  return {
    rtmp: await listen('RTMP', 'SONO_RTMP_PORT', host, rtmpPort, plain),
    rtmpt: await listen('RTMPT', 'SONO_RTMPT_PORT', host, rtmptPort, plain),
    rtmps: await listen('RTMPS', 'SONO_RTMPS_PORT', host, rtmpsPort, secure),
  };
}

function whyNotReady(
  config: Config,
  connection: DrachtioConnection,
  identity: Identity,
  pool: FreeSwitchPool | undefined,
): string | undefined {
  if (!connection.up)
    return `no drachtio server at ${config.drachtioHost}:${config.drachtioPort}: ${identity.outage()}`;
  // With `auto` there are calls without it.
  return config.media === 'freeswitch' && !pool?.usable ? 'no FreeSWITCH server takes calls' : undefined;
}

async function within(ms: number, done: Promise<unknown>): Promise<void> {
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, ms).unref())]);
}

/** The addresses of the embedded server are local as well: the advertised one, and all of the machine's where it binds all. */
function localService(
  { host, drachtioHost, localDomains, advertisedAddress, users, digestAlgorithms }: Config,
  log: Logger,
): LocalOptions {
  const advertised = advertisedAddress === undefined ? [] : [advertisedAddress];
  const every = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const bound = host === '0.0.0.0' || host === '::' ? ['localhost', ...every.map(({ address }) => address)] : [];
  const serverNames = [...advertised, ...bound].map((name) => (isIPv6(name) ? `[${name}]` : name));
  return {
    domains: localDomains ?? advertised,
    log: (fields, message) => log.info(fields, message),
    algorithms: digestAlgorithms,
    ...(users && { users }),
    ...(drachtioHost === undefined && { serverNames }),
  };
}

function drachtioServer({ drachtioHost: host = '', drachtioPort: port, drachtioSecret: secret }: Config) {
  return { host, port, secret, loopback: true };
}

function dialPolicy({ dialAllow: allow, dialDeny: deny }: Config): DialPolicy {
  return new DialPolicy({ ...(allow && { allow }), ...(deny && { deny }) });
}

async function directMedia(config: Config, speex: SpeexCodec | undefined, log: Logger): Promise<DirectMedia> {
  const foreign = await findFfmpeg(config, log);
  const { speexQuality: quality, speexComplexity: complexity, advertisedAddress } = config;
  return new DirectMedia({
    host: config.rtpHost ?? config.host,
    ports: config.rtpPorts,
    video: config.video === 'on',
    srtp: config.srtp,
    logger: log,
    ...(speex && { transcoding: { codec: speex, quality, complexity } }),
    ...(foreign && { foreign }),
    ...(advertisedAddress !== undefined && { advertisedAddress }),
  });
}

/** None while no server is configured, or none is wanted. */
function freeSwitchPool(config: Config, inviter: DrachtioConnection, logger: Logger): FreeSwitchPool | undefined {
  const { media, freeswitchHost, freeswitchPort, freeswitchSecret } = config;
  if (media === 'direct' || freeswitchHost === undefined) return undefined;
  return new FreeSwitchPool({
    servers: freeswitchHost.map(({ host, port = freeswitchPort, secret = freeswitchSecret, weight }) => {
      return { host, port, secret, weight };
    }),
    inviter,
    // A description of its own each time: the server compares what is said, not versions.
    sdp: {
      read: parseSdp,
      write: (description) => writeSdp(description, { sessionId: randomInt(2 ** 32), version: 1 }),
    },
    logger,
  });
}

function mediaPort({ media }: Config, direct: DirectMedia, pool: FreeSwitchPool | undefined, log: Logger): MediaPort {
  if (!pool) return direct;
  return media === 'freeswitch' ? new FreeSwitchMedia(pool, direct) : new AutoMedia(pool, direct, log);
}

async function startEmbeddedSip(config: Config, log: Logger, speex: SpeexCodec | undefined): Promise<EmbeddedSip> {
  try {
    return await EmbeddedSip.start({
      host: config.host,
      port: config.sipPort,
      ...(config.advertisedAddress !== undefined && { advertisedAddress: config.advertisedAddress }),
      ...(speex !== undefined && {
        speexEncoder: (sampleRate) =>
          speex.createEncoder({ sampleRate, quality: config.speexQuality, complexity: config.speexComplexity }),
      }),
      logger: (event) => log.debug(event, 'embedded SIP'),
    });
  } catch (error) {
    throw startError('SIP', 'SONO_SIP_PORT', { host: config.host, port: config.sipPort }, error);
  }
}

/** The embedded server's number at which callers hear themselves. */
function echoAddress(port: number): string {
  return port === 5060 ? 'sip:echo@localhost' : `sip:echo@localhost:${port}`;
}

async function findSpeex(log: Logger): Promise<SpeexCodec | undefined> {
  const module = await loadSpeex();
  if (module) return new SpeexCodec(module);
  log.warn('no Speex codec: calls between Speex and G.711 are refused; npm run build says what it needs');
  return undefined;
}

async function findFfmpeg(config: Config, log: Logger): Promise<Ffmpeg | undefined> {
  const { ffmpeg: path, ffmpegProcesses: processes } = config;
  const found = processes === 0 ? undefined : await Ffmpeg.find({ path, processes });
  if (found === undefined) log.info({ path, processes }, 'no FFmpeg: clients of Nellymoser, AAC and MP3 are refused');
  return found;
}

interface Identity {
  /** Host part of addresses that the gateway makes up; none while there is no SIP server. */
  domain(): string | undefined;
  /** Why there is no SIP server. */
  outage(): string;
}

/** Logs the connection's ups and downs, one line per outage and reason, and learns from it who we are. */
function followConnection(connection: DrachtioConnection, config: Config, log: Logger): Identity {
  let learnt: string | undefined;
  let outage = 'not connected yet';
  connection.on('up', (hostports) => {
    outage = '';
    learnt = sipDomain(hostports);
    log.info({ addresses: hostports }, 'connected to the SIP server');
  });
  connection.on('down', (reason) => {
    if (outage === reason) return;
    outage = reason;
    log.warn({ reason }, 'no connection to the SIP server; trying again');
  });
  return { domain: () => (connection.up ? (config.fromDomain ?? learnt) : undefined), outage: () => outage };
}

/** `udp/192.0.2.1:5060` as it stands in a SIP URI. */
function sipDomain(hostports: readonly string[]): string | undefined {
  const udp = hostports.find((hostport) => hostport.startsWith('udp/')) ?? hostports[0];
  return udp?.replace(/^\w+\//, '').replace(/:5060$/, '') || undefined;
}

/** Ends of a session that nobody is to blame for. */
const ordinaryEnds: ReadonlySet<string> = new Set(['client', 'server', 'transport']);

/** What a peer did wrong is worth a warning; that a client came and went stands in the log already. */
function logRtmp(log: Logger, event: RtmpLogEvent): void {
  if (event.event === 'refused') log.warn(event, 'RTMP peer refused');
  else if (event.event === 'session.closed' && !ordinaryEnds.has(event.reason.code))
    log.warn(event, 'RTMP peer closed');
  else log.debug(event, 'RTMP');
}
