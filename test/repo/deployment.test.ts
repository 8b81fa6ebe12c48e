import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../../plugin/config/schema.js';
import { readText } from './source-tree.js';

/** Nothing here runs the images: the tests see to it that what is written fits together. */
interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}
const compose = parse(readText('compose.yaml')) as { readonly services: Readonly<Record<string, Service>> };
const dockerfile = readText('Dockerfile');
const freeSwitch = readText('plugin/media/freeswitch/conf/freeswitch.xml');

it('runs drachtio, FreeSWITCH and Sono, of images with versions', () => {
  expect(Object.keys(compose.services)).toEqual(['drachtio', 'freeswitch', 'sono']);
  const images = Object.values(compose.services).flatMap(({ image }) => image ?? []);
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base ?? '');
  expect([...images, ...bases].filter((image) => !/:\d+\.\d+\.\d+/.test(image))).toEqual([]);
  expect(new Set(bases).size).toBe(1);
  expect(bases.length).toBe(2);
});

it('mounts configuration that is in the repository', () => {
  const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
  expect(mounted).toEqual([
    './drachtio.conf.xml:/etc/drachtio.conf.xml:ro',
    './plugin/media/freeswitch/conf:/etc/freeswitch:ro',
  ]);
});

it('sets only what exists', () => {
  const { sono, freeswitch } = compose.services;
  const known = new Set<string>(settings.map(({ env }) => env));
  expect(Object.keys(sono?.environment ?? {}).filter((name) => !known.has(name))).toEqual([]);
  for (const name of Object.keys(freeswitch?.environment ?? {})) expect(freeSwitch).toContain(`=$${name}"`);
});

it('is on loopback unless told otherwise', () => {
  const { sono, freeswitch } = compose.services;
  expect(sono?.environment?.SONO_HOST).toBe('$' + '{ADDRESS:-127.0.0.1}');
  expect(freeswitch?.environment?.FREESWITCH_ADDRESS).toBe('$' + '{ADDRESS:-127.0.0.1}');
});

/** Each of these was missed once: what happens then stands in the file. */
it.each([
  'name="drachtio_mrf"',
  'name="enable-3pcc" value="true"',
  'name="inbound-late-negotiation" value="true"',
  'name="auth-calls" value="false"',
  'name="rtp-timer-name" value="soft"',
  'name="apply-inbound-acl"',
  'data="rtp_secure_media_inbound=forbidden"',
  'SPEEX@16000h@20i,SPEEX@8000h@20i',
  'data="send_silence_when_idle=-1"',
  'data="hangup_after_bridge=false"',
  'data="park_after_bridge=true"',
  'data="hold_music=silence"',
  'application="sched_hangup" data="+60"',
  'name="manual-rtp-bugs" value="ACCEPT_ANY_PAYLOAD,IGNORE_MARK_BIT"',
  'application="socket" data="$' + '{sip_h_X-esl-outbound} async full"',
])('configures FreeSWITCH with %s', (text) => {
  expect(freeSwitch).toContain(text);
});

it('copies the manifest of each workspace before it installs', () => {
  const { workspaces } = JSON.parse(readText('package.json')) as { readonly workspaces: readonly string[] };
  const before = dockerfile.slice(0, dockerfile.indexOf('RUN npm ci'));
  expect(workspaces.filter((path) => !before.includes(`${path}/package.json`))).toEqual([]);
});
