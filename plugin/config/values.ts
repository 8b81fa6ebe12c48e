import { isIP } from 'node:net';
import { z } from 'zod';

/** What the values of settings may be, in a file and in the environment, and the words for those that may not. */

export const anyText = z.string('text, in quotes where it looks like a number or a list');
export const someText = anyText.min(1, 'text of one character or more');
const textLike = (pattern: RegExp, expected: string) => z.string(expected).regex(pattern, expected);
const listOf = (isItem: (text: string) => boolean, expected: string, least = 0) =>
  z
    .string(expected)
    .transform((text) => text.split(/\s*,\s*/).filter((item) => item !== ''))
    .refine((items) => items.length >= least && items.every(isItem), expected);

const addressExpected = 'an IP address or localhost';
export const address = z
  .string(addressExpected)
  .refine((text) => isIP(text) !== 0 || text === 'localhost', addressExpected);
export const hostName = textLike(/^[A-Za-z0-9.:[\]-]{1,255}$/, 'a host name or an IP address');
export const hostPort = textLike(/^[A-Za-z0-9.:[\]-]{1,255}$/, 'a host, with a port if need be');
export const numberFrom = (min: number, max: number, allowed: string) => {
  const readNumber = (value: unknown) => (typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value);
  return z.preprocess(readNumber, z.int(allowed).min(min, allowed).max(max, allowed));
};
export const flag = z.preprocess(
  (value) => (value === 'true' || value === 'false' ? value === 'true' : value),
  z.boolean('true or false'),
);
export const optionalPort = numberFrom(0, 65535, 'a port from 0 to 65535');
export const requiredPort = numberFrom(1, 65535, 'a port from 1 to 65535');

export const portRange = textLike(/^\d+-\d+$/, 'a range such as 20000-29999')
  .transform((text) => {
    const [min, max] = text.split('-').map(Number) as [number, number];
    return { min, max };
  })
  .refine(
    ({ min, max }) => min >= 1024 && max <= 65535 && max > min,
    'a range within 1024-65535 of two ports and more',
  );

export const originList = listOf(
  (text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text),
  'origins such as https://www.example.com separated by commas, or *',
);

export const networkList = listOf(
  isNetwork,
  'addresses such as 10.0.0.7 or networks such as 10.0.0.0/8 separated by commas',
);

function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...rest] = text.split('/');
  const version = isIP(address);
  return version !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

export const dialPatterns = listOf(
  (pattern) => pattern === '*' || /^[^\s@]*@[^\s@]+$/.test(pattern),
  'patterns such as *@example.com or +49*@* separated by commas, or *',
  1,
);

export const hostList = listOf(
  (host) => /^[A-Za-z0-9.[\]:-]{1,255}$/.test(host),
  'host names or addresses separated by commas, such as example.com',
  1,
);

export const server = textLike(
  /^(?:sip:)?(?:[A-Za-z0-9.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?(?:;transport=(?:udp|tcp|tls))?$/i,
  'a host, with a port and ;transport=tcp if need be',
).transform((text) => text.replace(/^sip:/i, ''));

const usersExpected =
  'names with their passwords, as in alice:secret,bob, or in a file users: {alice: "secret", bob: ""}';
const userName = /^[A-Za-z0-9\-_.!~*'()&=+$]{1,128}$/;

/** Names and passwords; an empty password is none. */
export const userList = z
  .preprocess(
    (value) =>
      typeof value === 'string'
        ? Object.fromEntries(
            value
              .split(',')
              .filter((user) => user.trim() !== '')
              .map((user) => {
                const [name = '', ...password] = user.trim().split(':');
                return [name, password.join(':')];
              }),
          )
        : value,
    z.record(z.string().regex(userName, usersExpected), z.string(usersExpected).nullable(), usersExpected),
  )
  .transform((users): ReadonlyMap<string, string | undefined> => {
    return new Map(Object.entries(users).map(([name, password]) => [name, password || undefined]));
  });

export const digestList = z
  .string('SHA-256, MD5 or both, separated by commas')
  .transform((text) => text.toUpperCase().split(/\s*,\s*/))
  .pipe(z.array(z.enum(['SHA-256', 'MD5'])));
