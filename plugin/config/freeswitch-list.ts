import { z } from 'zod';

/** One FreeSWITCH server of a list; what is left out stands in settings of its own. */
export interface FreeSwitchAddress {
  readonly host: string;
  readonly port: number | undefined;
  readonly secret: string | undefined;
  readonly weight: number;
}

/** `host[:port[:secret]][*weight]` */
const freeSwitchPattern = /^([A-Za-z0-9.-]{1,255})(?::(\d{1,5})(?::(.+?))?)?(?:\*([1-9]\d?|100))?$/;

/** None when the text is no server. */
function readFreeSwitch(text: string): FreeSwitchAddress[] {
  const [, host, port, secret, weight] = freeSwitchPattern.exec(text) ?? [];
  const known = host !== undefined && (port === undefined || (Number(port) > 0 && Number(port) < 65536));
  return known ? [{ host, port: port === undefined ? port : Number(port), secret, weight: Number(weight ?? 1) }] : [];
}

const expected =
  'a list host[:port[:secret]][*weight] separated by commas, with ports from 1 to 65535 and weights from 1 to 100';

/** Servers separated by commas. */
export const freeSwitchList = z
  .string(expected)
  .transform((text) => text.split(/\s*,\s*/).map(readFreeSwitch))
  .refine((servers) => servers.every((server) => server.length === 1), expected)
  .transform((servers) => servers.flat());
