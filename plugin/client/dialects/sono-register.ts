import { type AmfValue, amfProperties } from 'rtmp-server-ts';
import type { PhoneLine, RegistrationWish } from './dialect.js';

/** What register() was asked for; nothing without arguments; a text for a person when it makes no sense. */
export type RegisterArguments = RegistrationWish | 'made-up address' | { readonly refusal: string };

const user = /^[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,128}$/;
const hostPort = /^(?:[A-Za-z0-9.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?(?:;transport=(?:udp|tcp))?$/i;

/**
 * Reads `register([username[, registrar[, credentials]]])`; a username may be `bob`, `bob@domain` or `sip:bob@domain`.
 * @param home The registrar where none is given.
 */
export function readRegister(
  [username, registrar, credentials]: readonly AmfValue[],
  home: PhoneLine['home'],
): RegisterArguments {
  if (isAbsent(username)) return 'made-up address';
  if (typeof username !== 'string') return { refusal: 'the username must be a string' };
  const [name = '', domain, ...rest] = username.replace(/^sip:/i, '').split('@');
  if (!user.test(name) || rest.length > 0) return { refusal: `${JSON.stringify(username)} is no SIP user` };
  if (!isAbsent(registrar) && typeof registrar !== 'string') return { refusal: 'the registrar must be a string' };
  const found = isAbsent(registrar) ? home(domain) : undefined;
  const server = isAbsent(registrar) ? (found?.registrar ?? domain ?? '') : registrar;
  return readAddress(name, domain ?? found?.domain, server.replace(/^sip:/i, ''), readCredentials(credentials, name));
}

function readAddress(
  name: string,
  domain: string | undefined,
  server: string,
  secret: ReturnType<typeof readCredentials>,
): RegisterArguments {
  if (server === '') return { refusal: 'name a registrar: register(username, registrar), or user@domain as username' };
  if (!hostPort.test(server))
    return { refusal: `${JSON.stringify(server)} is no registrar; give a host, or host:port` };
  const host = domain ?? server.replace(/;.*$/, '');
  if (!hostPort.test(host)) return { refusal: `${JSON.stringify(host)} is no domain that can be registered at` };
  if (secret && 'refusal' in secret) return secret;
  const transport = /;transport=/i.test(server) ? '' : ';transport=udp';
  return {
    address: `sip:${name}@${host}`,
    registrar: `sip:${server}${transport}`,
    ...(secret && { credentials: secret }),
  };
}

function readCredentials(
  value: AmfValue | undefined,
  name: string,
): { user: string; password: string } | { refusal: string } | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'string') return { user: name, password: value };
  const { user = name, password } = amfProperties(value) ?? {};
  if (typeof user === 'string' && typeof password === 'string') return { user, password };
  return { refusal: 'credentials are a password, or {user, password}' };
}

const isAbsent = (value: AmfValue | undefined): value is undefined | null | '' =>
  value === undefined || value === null || value === '';
