import { LoadPhone } from '../phone.js';

const waitMs = 60_000;

/** What a phone was told in one call: statuses by their numbers, and `called`. */
type Told = number | 'called';

/** A client whose calls are counted: each ends for it with one status 0. */
export class SoakPhone {
  readonly #port: number;
  #phone: LoadPhone | undefined;
  #address = '';
  #told: Told[] = [];
  #waiting: (() => void)[] = [];

  private constructor(port: number) {
    this.#port = port;
  }

  static async connect(port: number): Promise<SoakPhone> {
    const phone = new SoakPhone(port);
    await phone.#connect();
    return phone;
  }

  get address(): string {
    return this.#address;
  }

  /** Forgets what it was told: a call begins. */
  begin(): void {
    this.#told = [];
  }

  dial(uri: string): void {
    this.#phone?.dial(uri);
  }

  hangup(): void {
    this.#phone?.hangup();
  }

  accept(): void {
    this.#phone?.accept();
  }

  reject(sipStatus: number): void {
    this.#phone?.reject(sipStatus);
  }

  /** Until it is told one of these. */
  async until(...wanted: readonly Told[]): Promise<void> {
    const timeout = setTimeout(() => this.#wake(), waitMs);
    const deadline = Date.now() + waitMs;
    while (!wanted.some((what) => this.#told.includes(what))) {
      if (Date.now() >= deadline)
        throw new Error(`the phone was not told ${wanted.join(' or ')}, but ${this.#told.join(' ')}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    clearTimeout(timeout);
  }

  /** Until the gateway has read what was sent so far. */
  async heard(): Promise<void> {
    await this.#phone?.call('getStreamLength', null, '');
  }

  /** What is wrong with what it was told of a call that has ended. */
  complaint(): string | undefined {
    const ends = this.#told.filter((told) => told === 0).length;
    if (ends === 1 && this.#told.at(-1) === 0) return undefined;
    return `the phone was told ${this.#told.join(' ')}`;
  }

  /** Goes without a word, and comes back. */
  async vanish(): Promise<void> {
    this.close();
    await this.#connect();
  }

  close(): void {
    this.#phone?.close();
    this.#phone = undefined;
  }

  async #connect(): Promise<void> {
    const phone = await LoadPhone.connect('127.0.0.1', this.#port);
    phone.onStatus = (status) => this.#hear(phone, status);
    phone.onIncoming = () => this.#hear(phone, 'called');
    const [answer] = await phone.call('register', null);
    this.#address = String((answer as { readonly uri?: unknown }).uri);
    this.#phone = phone;
  }

  #hear(phone: LoadPhone, told: Told): void {
    if (phone !== this.#phone) return;
    this.#told.push(told);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
