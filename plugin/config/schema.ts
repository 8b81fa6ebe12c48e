import { z } from 'zod';
import { freeSwitchList } from './freeswitch-list.js';
import {
  address,
  anyText,
  dialPatterns,
  digestList,
  flag,
  hostList,
  hostName,
  hostPort,
  networkList,
  numberFrom,
  optionalPort,
  originList,
  portRange,
  requiredPort,
  server,
  someText,
  userList,
} from './values.js';

/**
 * One setting. Its name in a file is `key`; in the environment it is `env`. `unset` marks what has no default, with the
 * words that stand in its place in the documentation.
 */
export interface Setting {
  readonly key: string;
  readonly env: string;
  readonly type: z.ZodType;
  readonly default?: unknown;
  readonly unset?: string;
  readonly doc: string;
  readonly secret?: boolean;
}

/** Everything that can be configured: types, defaults, documentation and errors come from here alone. */
export const settings = [
  {
    key: 'host',
    env: 'SONO_HOST',
    type: address,
    default: '127.0.0.1',
    doc: 'Address that the RTMP, HTTP and embedded SIP listeners bind.',
  },
  {
    key: 'rtmpPort',
    env: 'SONO_RTMP_PORT',
    type: optionalPort,
    default: 1935,
    doc: 'RTMP over TCP; tells RTMPT and RTMP over WebSocket apart by itself; 0 turns it off.',
  },
  {
    key: 'rtmpsPort',
    env: 'SONO_RTMPS_PORT',
    type: optionalPort.optional(),
    unset: 'off',
    doc: 'RTMP over TLS, and RTMPTS and secure WebSocket; needs `SONO_TLS_CERT` and `SONO_TLS_KEY`.',
  },
  {
    key: 'rtmptPort',
    env: 'SONO_RTMPT_PORT',
    type: optionalPort.optional(),
    unset: 'off',
    doc: 'A further port of the same kind as `SONO_RTMP_PORT`, such as 80 for RTMPT.',
  },
  {
    key: 'policyPort',
    env: 'SONO_POLICY_PORT',
    type: optionalPort.optional(),
    unset: 'off',
    doc: 'One more, where Flash asks first who may connect: 843. `SONO_ORIGINS` is answered there, and on all the others.',
  },
  {
    key: 'tlsCert',
    env: 'SONO_TLS_CERT',
    type: someText.optional(),
    unset: 'unset',
    doc: 'PEM file of the certificate and its chain; read again when it changes.',
  },
  {
    key: 'tlsKey',
    env: 'SONO_TLS_KEY',
    type: someText.optional(),
    unset: 'unset',
    doc: 'PEM file of its private key.',
  },
  {
    key: 'origins',
    env: 'SONO_ORIGINS',
    type: originList.optional(),
    unset: 'the same host',
    doc: 'Web origins whose pages and films may connect, separated by commas, such as `https://www.example.com`; `*` for all.',
  },
  {
    key: 'trustedProxies',
    env: 'SONO_TRUSTED_PROXIES',
    type: networkList.optional(),
    unset: 'none',
    doc: 'Addresses and networks of HTTP proxies whose `X-Forwarded-For` is believed, separated by commas, such as `10.0.0.0/8`.',
  },
  {
    key: 'httpPort',
    env: 'SONO_HTTP_PORT',
    type: optionalPort,
    default: 8080,
    doc: 'The web phone, `/healthz`, `/readyz`, and RTMP over WebSocket at `/rtmp`; 0 turns it off.',
  },
  {
    key: 'sipPort',
    env: 'SONO_SIP_PORT',
    type: requiredPort,
    default: 5060,
    doc: "The embedded SIP server's UDP and TCP port.",
  },
  {
    key: 'drachtioHost',
    env: 'SONO_DRACHTIO_HOST',
    type: hostName.optional(),
    unset: 'unset',
    doc: 'A drachtio server; when set, it replaces the embedded SIP server.',
  },
  {
    key: 'drachtioPort',
    env: 'SONO_DRACHTIO_PORT',
    type: requiredPort,
    default: 9022,
    doc: "The drachtio server's control port.",
  },
  {
    key: 'drachtioSecret',
    env: 'SONO_DRACHTIO_SECRET',
    type: someText,
    default: 'cymru',
    doc: "The drachtio server's shared secret.",
    secret: true,
  },
  {
    key: 'media',
    env: 'SONO_MEDIA',
    type: z.enum(['direct', 'freeswitch', 'auto']),
    default: 'auto',
    doc: "Who faces the far end's media: direct, the gateway; freeswitch, FreeSWITCH; auto, the gateway, with FreeSWITCH behind it where no codec is shared.",
  },
  {
    key: 'freeswitchHost',
    env: 'SONO_FREESWITCH_HOST',
    type: freeSwitchList.optional(),
    unset: 'unset',
    doc: 'FreeSWITCH event sockets, `host[:port[:secret]][*weight]` separated by commas; one of weight 3 gets three times the calls of one of weight 1, the default.',
    secret: true,
  },
  {
    key: 'freeswitchPort',
    env: 'SONO_FREESWITCH_PORT',
    type: requiredPort,
    default: 8021,
    doc: 'The event socket port where the list says none.',
  },
  {
    key: 'freeswitchSecret',
    env: 'SONO_FREESWITCH_SECRET',
    type: someText,
    default: 'ClueCon',
    doc: "The event socket's password where the list says none.",
    secret: true,
  },
  {
    key: 'rtpHost',
    env: 'SONO_RTP_HOST',
    type: address.optional(),
    unset: '`SONO_HOST`',
    doc: "Address that the gateway's own RTP binds.",
  },
  {
    key: 'rtpPorts',
    env: 'SONO_RTP_PORTS',
    type: portRange,
    default: '20000-29999',
    doc: "UDP ports of the gateway's own RTP and RTCP, two per call and two more for its video.",
  },
  {
    key: 'video',
    env: 'SONO_VIDEO',
    type: z.enum(['on', 'off']),
    default: 'on',
    doc: 'Whether clients that send or ask for video have it in their calls (H.264, passed through): on or off.',
  },
  {
    key: 'srtp',
    env: 'SONO_SRTP',
    type: z.enum(['off', 'accept', 'offer', 'require']),
    default: 'accept',
    doc: 'Encrypted media (SRTP, SDES): `off` never, `accept` when the far end offers it, `offer` when it can, `require` always.',
  },
  {
    key: 'speexQuality',
    env: 'SONO_SPEEX_QUALITY',
    type: numberFrom(0, 10, 'a whole number from 0 to 10'),
    default: 8,
    doc: 'Quality of Speex that the gateway makes, 0-10; 8 is 15 kb/s of G.711.',
  },
  {
    key: 'speexComplexity',
    env: 'SONO_SPEEX_COMPLEXITY',
    type: numberFrom(1, 10, 'a whole number from 1 to 10'),
    default: 2,
    doc: 'Processor time that Speex which the gateway makes may cost, 1-10.',
  },
  {
    key: 'ffmpeg',
    env: 'SONO_FFMPEG',
    type: someText,
    default: 'ffmpeg',
    doc: 'The FFmpeg program for clients of Nellymoser, AAC and MP3, and for those of Opus in calls to phones without: a path, or a name to look for.',
  },
  {
    key: 'ffmpegProcesses',
    env: 'SONO_FFMPEG_PROCESSES',
    type: numberFrom(0, 1000, 'a whole number from 0 to 1000'),
    default: 20,
    doc: 'Most FFmpeg processes at a time; a call of such a client takes one or two. 0 is without FFmpeg.',
  },
  {
    key: 'advertisedAddress',
    env: 'SONO_ADVERTISED_ADDRESS',
    type: hostName.optional(),
    unset: 'unset',
    doc: 'Public address for SDP and SIP behind NAT.',
  },
  {
    key: 'fromName',
    env: 'SONO_FROM_NAME',
    type: anyText.max(100, 'at most 100 characters'),
    default: 'RTMP',
    doc: 'Display name in From of clients that did not register.',
  },
  {
    key: 'fromDomain',
    env: 'SONO_FROM_DOMAIN',
    type: hostName.optional(),
    unset: "the SIP server's address",
    doc: 'Domain in From of clients that did not register.',
  },
  {
    key: 'registrar',
    env: 'SONO_REGISTRAR',
    type: server.optional(),
    unset: 'unset',
    doc: 'Where clients register that do not say where, `host[:port][;transport=tcp]`; also learns the made-up addresses.',
  },
  {
    key: 'outboundProxy',
    env: 'SONO_OUTBOUND_PROXY',
    type: server.optional(),
    unset: 'unset',
    doc: 'Next hop of outgoing calls, registrations and texts, in the same form.',
  },
  {
    key: 'localDomains',
    env: 'SONO_LOCAL_DOMAINS',
    type: hostList.optional(),
    unset: "the embedded SIP server's addresses",
    doc: 'Domains that Sono itself is the registrar of, separated by commas; phones and clients register in them and call each other. With a drachtio server off unless set.',
  },
  {
    key: 'users',
    env: 'SONO_USERS',
    type: userList.optional(),
    unset: 'everybody, from this machine',
    doc: 'Who may register in these domains, `alice:secret,bob`; who has a password needs it.',
    secret: true,
  },
  {
    key: 'digestAlgorithms',
    env: 'SONO_DIGEST_ALGORITHMS',
    type: digestList,
    default: 'SHA-256,MD5',
    doc: 'What their passwords are asked for by, the preferred first; `MD5` alone for phones that give up when they see another.',
  },
  {
    key: 'dialDomain',
    env: 'SONO_DIAL_DOMAIN',
    type: hostPort.optional(),
    unset: "the caller's",
    doc: 'Domain of numbers, extensions and names that are dialled without one.',
  },
  {
    key: 'dialAllow',
    env: 'SONO_DIAL_ALLOW',
    type: dialPatterns.optional(),
    unset: 'everybody, on loopback',
    doc: 'Whom clients may call: patterns of `user@host` with `*` for anything, separated by commas. Required when `SONO_HOST` is not loopback.',
  },
  {
    key: 'dialDeny',
    env: 'SONO_DIAL_DENY',
    type: dialPatterns.optional(),
    unset: 'nobody',
    doc: 'Whom they may not, such as `*0900*@*`; wins over `SONO_DIAL_ALLOW`.',
  },
  {
    key: 'ringSeconds',
    env: 'SONO_RING_SECONDS',
    type: numberFrom(1, 600, 'a number of seconds from 1 to 600'),
    default: 60,
    doc: 'How long an incoming call rings before its caller is told that nobody answers (480).',
  },
  {
    key: 'earlyMedia',
    env: 'SONO_EARLY_MEDIA',
    type: flag,
    default: true,
    doc: 'Whether the far end is heard before it answers, such as an announcement or a ringing tone of its own: status 4 comes then, and not with the answer.',
  },
  {
    key: 'logLevel',
    env: 'SONO_LOG_LEVEL',
    type: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    default: 'info',
    doc: 'Least severe level that is logged: trace, debug, info, warn, error, fatal or silent.',
  },
] as const satisfies readonly Setting[];

type Settings = typeof settings;

/** The configuration after loading, by key. */
export type Config = {
  readonly [S in Settings[number] as S['key']]: z.output<S['type']>;
};
