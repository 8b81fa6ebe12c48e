import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeSettings } from '../../../plugin/config/describe.js';
import { ConfigError, loadConfig } from '../../../plugin/config/load.js';
import { settings } from '../../../plugin/config/schema.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sono-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('configuration', () => {
  it('is safe by default: loopback', () => {
    expect(loadConfig({})).toMatchObject({
      host: '127.0.0.1',
      rtmpPort: 1935,
      httpPort: 8080,
      sipPort: 5060,
      drachtioHost: undefined,
      rtpPorts: { min: 20000, max: 29999 },
      speexQuality: 8,
      speexComplexity: 2,
      logLevel: 'info',
    });
  });

  it('reads YAML and JSON files; the environment wins', () => {
    const yaml = file('a.yaml', 'rtmpPort: 2935\nfromName: Front desk\n');
    expect(loadConfig({}, yaml)).toMatchObject({ rtmpPort: 2935, fromName: 'Front desk' });
    const json = file('a.json', '{"rtmpPort": 2936}');
    expect(loadConfig({ SONO_RTMP_PORT: '0' }, json).rtmpPort).toBe(0);
    expect(loadConfig({}, file('empty.yaml', '')).rtmpPort).toBe(1935);
  });

  it('takes whom clients may call as a list, which a gateway on loopback does not need', () => {
    const exposed = loadConfig({ SONO_HOST: '0.0.0.0', SONO_DIAL_ALLOW: '*@example.com, +49*@*' });
    expect(exposed.dialAllow).toEqual(['*@example.com', '+49*@*']);
    for (const host of ['127.0.0.2', 'localhost', '::1']) {
      expect(loadConfig({ SONO_HOST: host }).dialAllow).toBeUndefined();
    }
  });

  it('takes users with and without passwords, from the environment and from a file', () => {
    const users = new Map([
      ['alice', 'a:secret'],
      ['bob', undefined],
    ]);
    expect(loadConfig({ SONO_USERS: 'alice:a:secret, bob' }).users).toEqual(users);
    expect(loadConfig({}, file('users.yaml', 'users: {alice: "a:secret", bob: }')).users).toEqual(users);
    expect(loadConfig({}).users).toBeUndefined();
  });

  it('takes registrar and outbound proxy as host, port and transport', () => {
    const config = loadConfig({
      SONO_REGISTRAR: 'sip:pbx.example',
      SONO_OUTBOUND_PROXY: '192.0.2.1:5070;transport=tcp',
    });
    expect(config).toMatchObject({ registrar: 'pbx.example', outboundProxy: '192.0.2.1:5070;transport=tcp' });
  });

  it('takes an empty variable as unset', () => {
    expect(loadConfig({ SONO_DRACHTIO_HOST: '' }).drachtioHost).toBeUndefined();
  });

  it('reads the list of FreeSWITCH servers; what is left out stands in settings of its own', () => {
    const list = (text: string) => loadConfig({ SONO_FREESWITCH_HOST: text }).freeswitchHost;
    const none = { port: undefined, secret: undefined, weight: 1 };
    expect(list('fs1')).toEqual([{ host: 'fs1', ...none }]);
    expect(list('10.0.0.1:8022, fs2:8021:a:b*c*3 ,fs3*20')).toEqual([
      { host: '10.0.0.1', ...none, port: 8022 },
      { host: 'fs2', port: 8021, secret: 'a:b*c', weight: 3 },
      { host: 'fs3', ...none, weight: 20 },
    ]);
    expect(loadConfig({})).toMatchObject({ media: 'auto', freeswitchPort: 8021, freeswitchSecret: 'ClueCon' });
  });

  const refused: [string, Record<string, string>, string][] = [
    [
      'unknown variable',
      { SONO_RTMP_PROT: '1' },
      'unknown setting SONO_RTMP_PROT in the environment; did you mean SONO_RTMP_PORT, SONO_RTMPS_PORT or SONO_RTMPT_PORT? --help lists all',
    ],
    [
      'port too high',
      { SONO_RTMP_PORT: '70000' },
      'SONO_RTMP_PORT: "70000" is not allowed; expected a port from 0 to 65535',
    ],
    [
      'port not a number',
      { SONO_SIP_PORT: 'sip' },
      'SONO_SIP_PORT: "sip" is not allowed; expected a port from 1 to 65535',
    ],
    ['media', { SONO_MEDIA: 'best' }, 'SONO_MEDIA: "best" is not allowed; expected one of direct, freeswitch, auto'],
    [
      'media without its server',
      { SONO_MEDIA: 'freeswitch' },
      'SONO_MEDIA: freeswitch needs a FreeSWITCH server; set SONO_FREESWITCH_HOST',
    ],
    [
      'media that cannot be encrypted as required',
      { SONO_MEDIA: 'freeswitch', SONO_FREESWITCH_HOST: 'fs1', SONO_SRTP: 'require' },
      'SONO_MEDIA: freeswitch knows no SRTP, which SONO_SRTP requires; auto does',
    ],
    ...['fs1,', 'fs1:0', 'fs1:70000', 'fs1:8021:', 'fs 1', 'fs1*0', '[::1]'].map(
      (text): [string, Record<string, string>, string] => [
        `FreeSWITCH server ${text}, which may hold a secret`,
        { SONO_FREESWITCH_HOST: text },
        'SONO_FREESWITCH_HOST: the value given is not allowed; expected a list host[:port[:secret]][*weight] separated by commas, with ports from 1 to 65535 and weights from 1 to 100',
      ],
    ),
    ['host', { SONO_HOST: 'not a host' }, 'SONO_HOST: "not a host" is not allowed; expected an IP address'],
    ['range', { SONO_RTP_PORTS: '20000' }, 'expected a range such as 20000-29999'],
    ['range upside down', { SONO_RTP_PORTS: '30000-20000' }, 'expected a range within 1024-65535'],
    ['pattern of callees', { SONO_DIAL_ALLOW: 'example.com' }, 'expected patterns such as *@example.com'],
    ['exposed without a policy', { SONO_HOST: '0.0.0.0' }, 'SONO_DIAL_ALLOW must say whom clients may call'],
    ['registrar', { SONO_REGISTRAR: 'bob@pbx' }, 'expected a host, with a port and ;transport=tcp if need be'],
    ['local domains', { SONO_LOCAL_DOMAINS: 'a b' }, 'expected host names or addresses separated by commas'],
    ['user name', { SONO_USERS: 'al ice:secret' }, 'SONO_USERS: the value given is not allowed; expected names'],
    ['digest', { SONO_DIGEST_ALGORITHMS: 'MD4' }, 'expected one of SHA-256, MD5'],
    ['level', { SONO_LOG_LEVEL: 'loud' }, 'expected one of trace, debug, info'],
  ];
  it.each(refused)('refuses in one line: %s', (_, environment, words) => {
    expect(() => loadConfig(environment)).toThrow(ConfigError);
    expect(() => loadConfig(environment)).toThrow(words);
    try {
      loadConfig(environment);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });

  const files: [string, string, string][] = [
    ['unknown key', 'rtmpProt: 1', '; did you mean rtmpPort, '],
    ['a key that is nothing but white space', '" ": 1', '--help lists all'],
    ['no mapping', '- 1\n- 2', 'must hold settings'],
    ['broken', '{"a": ', 'cannot read the configuration file'],
    ['bad value', 'rtmpPort: true', 'rtmpPort in '],
    ['a password that is no text', 'users: {alice: 0123}', 'expected names with their passwords'],
    ['a number where text is meant', 'drachtioSecret: 12345', 'expected text, in quotes where it looks like'],
    ['a list where text is meant', 'origins: [https://a.example]', 'expected origins such as'],
    ['nothing where text is meant', 'ffmpeg: ""', 'expected text of one character or more'],
  ];
  it.each(files)('refuses a file: %s', (name, content, words) => {
    expect(() => loadConfig({}, file(`${name}.yaml`, content))).toThrow(words);
  });

  it.each(settings)('says in words of its own what $key may be', ({ key }) => {
    for (const value of ['[[]]', '{a: [1]}', '-1.5']) {
      const told = () => loadConfig({}, file('kinds.yaml', `${key}: ${value}`));
      expect(told).toThrow(`${key} in `);
      expect(told).not.toThrow(/invalid|too (?:small|big)|received/i);
    }
  });

  it('says when the file cannot be read', () => {
    expect(() => loadConfig({}, join(folder, 'absent.yaml'))).toThrow(/cannot read the configuration file .*ENOENT/);
  });

  it('never shows a secret', () => {
    const path = file('secret.yaml', 'drachtioSecret: [hunter2]');
    expect(() => loadConfig({}, path)).toThrow('the value given is not allowed');
  });

  it('describes every setting', () => {
    const text = describeSettings();
    for (const { env } of settings) expect(text).toContain(env);
  });
});
