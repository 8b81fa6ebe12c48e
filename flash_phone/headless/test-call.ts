import { setTimeout as sleep } from 'node:timers/promises';
import { RtmpError } from 'rtmp-server-ts';
import type { SpeexModule } from 'speex-wasm';
import { type Codec, createEncoder, Decoder } from './codec.js';
import { Ear } from './ear.js';
import { type ExitCode, exitCode } from './exit-code.js';
import { Microphone } from './microphone.js';
import { type Credentials, Phone, Refused } from './phone.js';
import type { Progress, Summary } from './report.js';
import { echoDelay } from './round-trip.js';

export interface CallOptions {
  readonly url: string;
  /** Whom to call; without it the phone waits to be called. */
  readonly dial?: string | undefined;
  /** Without them the gateway makes up an address. */
  readonly credentials?: Credentials | undefined;
  readonly codec: Codec;
  /** What is said: mono, 16 kHz. */
  readonly sound: Int16Array;
  /** Length of the call from its answer; without it the call ends with the sound. */
  readonly seconds?: number | undefined;
  readonly dtmf?: string | undefined;
  readonly speex: SpeexModule;
  /** Gets what is heard, in order. */
  readonly record: (samples: Int16Array) => void;
}

/** Time, after the end of the sound, for what of it is still under way. */
const tailMs = 500;
/** How long an unanswered call may last: longer than a SIP transaction without a final response is kept (timer C, 3 minutes). */
const longestRingMs = 200_000;
/** How long the far end may take to confirm that the call is over. */
const hangupMs = 5_000;

/** Why the call, or the attempt at one, is over. */
interface End {
  readonly exitCode?: ExitCode;
  readonly sipStatus?: number | undefined;
  readonly reason?: string | undefined;
}

/** One call from the connection to the gateway to its end. */
export class TestCall {
  readonly #options: CallOptions;
  readonly #tell: (progress: Progress) => void;
  readonly #ear: Ear;
  readonly #decoder: Decoder;
  readonly #talking = deferred<void>();
  readonly #end = deferred<End>();
  #phone: Phone | undefined;
  #microphone: Microphone | undefined;
  /** Milliseconds of `performance.now()`. */
  #calledAt: number | undefined;
  #rangAt: number | undefined;
  #answeredAt: number | undefined;
  #refusal: End | undefined;
  #isUp = false;
  /** How the call is to end that this phone is hanging up. */
  #leaving: End | undefined;
  #statusesInProgress = 0;

  constructor(options: CallOptions, tell: (progress: Progress) => void) {
    this.#options = options;
    this.#tell = tell;
    this.#ear = new Ear(options.record);
    this.#decoder = new Decoder(options.speex);
  }

  async run(): Promise<Summary> {
    this.#call().catch((error: unknown) => this.#end.settle(endOf(error)));
    const end = await this.#end.promise;
    this.#microphone?.stop();
    const summary = this.#summary(end);
    await this.#phone?.close();
    return summary;
  }

  /** Hangs up, if there is a call, and ends. */
  async stop(): Promise<void> {
    const answered = this.#answeredAt !== undefined;
    await this.#leave(answered ? {} : { exitCode: exitCode.interrupted, reason: 'stopped by a signal' });
  }

  async #call(): Promise<void> {
    const { url, dial, credentials, dtmf } = this.#options;
    this.#tell({ event: 'connecting', url });
    const phone = await Phone.connect(url);
    this.#phone = phone;
    this.#listen(phone);
    this.#tell({ event: 'connected', protocol: phone.protocol });
    const uri = await phone.register(credentials);
    this.#tell({ event: 'registered', uri });
    if (dial !== undefined) this.#dial(phone, dial);
    await this.#talking.promise;
    if (dtmf !== undefined) {
      this.#tell({ event: 'digits', digits: dtmf });
      phone.sendDTMF(dtmf);
    }
    await this.#soundIsOver();
    if (this.#isUp) await this.#leave({});
  }

  #dial(phone: Phone, uri: string): void {
    this.#calledAt = performance.now();
    this.#isUp = true;
    this.#tell({ event: 'dialling', uri });
    phone.dial(uri);
    const reason = `nobody answered within ${longestRingMs / 1000} s`;
    const late = setTimeout(() => void this.#leave({ exitCode: exitCode.refused, reason }), longestRingMs);
    void this.#talking.promise.then(() => clearTimeout(late));
    void this.#end.promise.then(() => clearTimeout(late));
  }

  async #soundIsOver(): Promise<void> {
    const { seconds } = this.#options;
    if (seconds !== undefined) await sleep(seconds * 1000);
    else await this.#microphone?.said.then(() => sleep(tailMs));
  }

  /** Hangs up, waits for status 0, but not for ever, and ends as it was decided. */
  async #leave(end: End): Promise<void> {
    this.#leaving = end;
    if (this.#isUp) {
      this.#tell({ event: 'hanging up' });
      this.#phone?.hangup();
      await Promise.race([this.#end.promise, sleep(hangupMs)]);
    }
    this.#end.settle(end);
  }

  #listen(phone: Phone): void {
    phone.on('status', (status) => {
      this.#tell({ event: 'status', ...status });
      this.#statusChanged(phone, status.code, { sipStatus: status.sipStatus, reason: status.reason });
    });
    phone.on('incoming', (caller) => {
      this.#tell({ event: 'incoming', ...caller });
      // A phone that dials takes no calls; a second call the gateway refuses by itself.
      if (this.#options.dial !== undefined || this.#isUp) return;
      this.#isUp = true;
      this.#calledAt = performance.now();
      phone.accept();
    });
    phone.on('told', (code, details) => this.#tell({ event: 'told', code, details }));
    phone.on('refused', (refused) => {
      this.#tell({ event: 'refused', command: refused.command, code: refused.code, description: refused.message });
      this.#refusal = endOf(refused);
      if (refused.command === 'dial' || refused.command === 'accept') this.#end.settle(this.#refusal);
    });
    phone.on('audio', ({ timestamp, payload }) =>
      this.#ear.hear(performance.now(), timestamp, this.#decoder.decode(payload)),
    );
    phone.on('closed', (reason) => this.#end.settle({ exitCode: exitCode.unreachable, reason }));
  }

  #statusChanged(phone: Phone, code: number, end: End): void {
    // The first status 1 says that the call was sent, a second one that the far end has answered something provisional.
    if (code === 1 && ++this.#statusesInProgress === 2) this.#rangAt = performance.now();
    if (code === 2) this.#answeredAt ??= performance.now();
    if (code === 4) this.#talk(phone).catch((error: unknown) => this.#end.settle(endOf(error)));
    if (code === 0 && this.#isUp) {
      this.#isUp = false;
      const answered = this.#answeredAt !== undefined;
      this.#end.settle(this.#leaving ?? (answered ? end : { ...end, exitCode: exitCode.refused }));
    }
  }

  async #talk(phone: Phone): Promise<void> {
    const { sound, codec, speex } = this.#options;
    await phone.openStreams();
    const encode = createEncoder(codec, speex);
    this.#microphone ??= new Microphone(sound, encode, (timestamp, body) => phone.sendAudio(timestamp, body));
    this.#talking.settle();
  }

  #summary(end: End): Summary {
    const [ear, microphone, now] = [this.#ear, this.#microphone, performance.now()];
    const sinceCall = (at: number | undefined) => (at === undefined ? undefined : at - (this.#calledAt ?? at));
    return {
      exitCode: end.exitCode ?? this.#verdict(),
      answered: this.#answeredAt !== undefined,
      audible: ear.isAudible,
      sipStatus: end.sipStatus,
      reason: this.#refusal?.reason ?? end.reason,
      ringMs: sinceCall(this.#rangAt),
      answerMs: sinceCall(this.#answeredAt),
      durationMs: this.#answeredAt === undefined ? undefined : now - this.#answeredAt,
      sent: microphone?.sent ?? 0,
      dropped: microphone?.dropped ?? 0,
      received: ear.received,
      unusable: ear.unusable,
      missing: ear.missing,
      late: ear.late,
      longestGapMs: ear.longestGapMs,
      peak: ear.peak,
      roundTripMs: this.#roundTrip(),
    };
  }

  /** Of a call that came to a regular end. */
  #verdict(): ExitCode {
    if (this.#refusal) return exitCode.refused;
    return this.#ear.isAudible ? exitCode.heard : exitCode.silent;
  }

  #roundTrip(): number | undefined {
    const [heardAt, microphone] = [this.#ear.startedAt, this.#microphone];
    if (heardAt === undefined || microphone === undefined || !this.#ear.isAudible) return undefined;
    return echoDelay(this.#options.sound, this.#ear.beginning, heardAt - microphone.started);
  }
}

/** @throws what is a fault of this program */
function endOf(error: unknown): End {
  if (error instanceof Refused) return { exitCode: exitCode.refused, reason: `${error.code}: ${error.message}` };
  if (!(error instanceof RtmpError)) throw error;
  return { exitCode: exitCodes[error.code] ?? exitCode.unreachable, reason: error.message };
}

const exitCodes: Readonly<Record<string, ExitCode>> = {
  'connect.url': exitCode.usage,
  'connect.rejected': exitCode.refused,
  'stream.refused': exitCode.refused,
  'call.failed': exitCode.refused,
};

interface Deferred<T> {
  readonly promise: Promise<T>;
  /** The first counts. */
  readonly settle: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}
