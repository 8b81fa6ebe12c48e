/** Where the drachtio server of the live tests is. It and the peers talk over loopback, so it runs on this machine. */
export interface LiveSettings {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Its SIP address, `host:port`; learnt at the login unless given. */
  readonly sip: string | undefined;
  /** Starts the server in the foreground; with it the tests start and stop the server themselves. */
  readonly command: string | undefined;
}

/** Where the FreeSWITCH server of the live tests is: its event socket, on this machine. */
export interface FreeSwitchSettings {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Starts the server in the foreground; with it the tests start and stop it themselves. */
  readonly command: string | undefined;
}

/**
 * None when there is no FreeSWITCH to test with.
 *
 * @throws Error whose message is one line that says what to set
 */
export function readFreeSwitch(environment: NodeJS.ProcessEnv = process.env): FreeSwitchSettings | undefined {
  const text = environment.SONO_LIVE_FREESWITCH;
  if (!text) return undefined;
  const address = /^(?<host>[^:]+):(?<port>\d{1,5})(?::(?<secret>.+))?$/.exec(text)?.groups;
  if (!address?.host) {
    throw new Error(
      `SONO_LIVE_FREESWITCH is ${JSON.stringify(text)}: set it to host:port[:secret] of an event socket on this machine, for example 127.0.0.1:8021:ClueCon`,
    );
  }
  return {
    host: address.host,
    port: Number(address.port),
    secret: address.secret ?? 'ClueCon',
    command: environment.SONO_LIVE_FREESWITCH_COMMAND || undefined,
  };
}

export const howToSet =
  'set SONO_LIVE_DRACHTIO to host:port[:secret] of the control port of a drachtio server on this machine, ' +
  'for example SONO_LIVE_DRACHTIO=127.0.0.1:9022:cymru';

/** @throws Error whose message is one line that says what to set */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): LiveSettings {
  const text = environment.SONO_LIVE_DRACHTIO;
  if (!text) throw new Error(`the live tests need a drachtio server: ${howToSet}`);
  const address = /^(?<host>[^:]+):(?<port>\d{1,5})(?::(?<secret>.+))?$/.exec(text)?.groups;
  if (!address?.host) throw new Error(`SONO_LIVE_DRACHTIO is ${JSON.stringify(text)}: ${howToSet}`);
  const sip = environment.SONO_LIVE_DRACHTIO_SIP || undefined;
  if (sip !== undefined && !/^[^:]+:\d{1,5}$/.test(sip)) {
    throw new Error(
      `SONO_LIVE_DRACHTIO_SIP is ${JSON.stringify(sip)}: set it to host:port of the server's SIP address`,
    );
  }
  return {
    host: address.host,
    port: Number(address.port),
    secret: address.secret ?? 'cymru',
    sip,
    command: environment.SONO_LIVE_DRACHTIO_COMMAND || undefined,
  };
}

/** What makes a gateway use the server. */
export function gatewayEnvironment({ host, port, secret }: LiveSettings): Readonly<Record<string, string>> {
  return { SONO_DRACHTIO_HOST: host, SONO_DRACHTIO_PORT: String(port), SONO_DRACHTIO_SECRET: secret };
}
