import { type CallQuality, CallStatus, type SonoPhone, type SonoPhoneEvents } from '../src/index.js';
import { CallLog } from './call-log.js';
import { button, element, input, setText, show } from './dom.js';
import { makeKeyPad } from './key-pad.js';
import { Tones } from './tones.js';
import { duration, failureWords, shortAddress, tame } from './words.js';

type State = 'idle' | 'calling' | 'incoming' | 'connected';

/** The call that the page shows. */
interface ShownCall {
  readonly outgoing: boolean;
  readonly address: string;
  readonly name: string;
  readonly at: number;
  /** Milliseconds of performance.now() when it was answered. */
  answeredAt?: number;
  hungUp?: boolean;
}

/** Shows a SonoPhone, and hands it what is clicked and typed. Texts from outside are only ever set as text. */
export class PhonePage {
  readonly #phone: SonoPhone;
  readonly #tones = new Tones();
  readonly #log: CallLog;
  #state: State = 'idle';
  #call: ShownCall | undefined;
  #held = false;
  #echo: string | undefined;

  constructor(phone: SonoPhone) {
    this.#phone = phone;
    this.#log = new CallLog((address) => this.#dial(address));
    makeKeyPad((key) => this.#key(key));
    this.#wireButtons();
    this.#wirePhone();
    addEventListener('keydown', (event) => this.#typed(event));
    this.#show('idle');
  }

  /** Explains itself at the first visit: one click, and one hears oneself. */
  offerEcho(address: string): void {
    this.#echo = address;
    this.#show(this.#state);
  }

  #wireButtons(): void {
    const dialer = element('dialer', HTMLFormElement);
    dialer.onsubmit = (event) => {
      event.preventDefault();
      const destination = input('destination').value.trim();
      if (destination === '') input('destination').focus();
      else this.#dial(destination);
    };
    button('erase').onclick = () => {
      const field = input('destination');
      field.value = field.value.slice(0, -1);
    };
    button('echo').onclick = () => this.#dial(this.#echo ?? '');
    button('accept').onclick = () => this.#accept();
    button('reject').onclick = () => this.#hangUp(() => this.#phone.reject());
    button('hangup').onclick = () => this.#hangUp(() => this.#phone.hangup());
    button('mute').onclick = () => this.#mute(!this.#phone.muted);
    button('hold').onclick = () => this.#phone.hold(!this.#held);
    button('transfer').onclick = () => this.#openTransfer(element('transfer-form', HTMLElement).hidden === true);
    element('transfer-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#phone.transfer(input('transfer-to').value.trim());
      this.#openTransfer(false);
    };
    button('notice-close').onclick = () => this.#notice('');
  }

  #wirePhone(): void {
    const phone = this.#phone;
    phone.on('connected', () => this.#line('connecting', 'Connected, registering…'));
    phone.on('disconnected', ({ reason, retryMs }) => {
      const again = retryMs === undefined ? '' : `; trying again in ${Math.round(retryMs / 1000)} s`;
      this.#line('down', `Gateway unreachable${again}`);
      element('line', HTMLElement).title = reason;
    });
    phone.on('registered', ({ uri }) => {
      this.#line('up', isMadeUp(uri) ? 'Ready' : `Ready as ${shortAddress(uri)}`);
      setText('own-address', uri);
    });
    phone.on('registrationLost', ({ reason }) => {
      this.#line('down', 'Registration lost; trying again');
      this.#notice(`Nobody can call you at the moment: ${tame(reason)}.`);
    });
    phone.on('status', (status) => this.#changed(status));
    phone.on('incoming', (caller) => this.#incoming(caller));
    phone.on('hold', ({ local, remote, reason }) => {
      this.#hold(local, remote);
      if (reason !== undefined) this.#notice(`Hold did not work: ${tame(reason)}.`);
    });
    phone.on('transferFailed', ({ reason }) => this.#notice(`The transfer did not work: ${tame(reason)}.`));
    phone.on('transferred', ({ uri }) => this.#notice(`Transferred to ${tame(shortAddress(uri))}.`));
    phone.on('message', ({ from, text }) => this.#notice(`${tame(shortAddress(from))}: ${tame(text, 500)}`));
    phone.on('level', ({ microphone, speaker }) => this.#level(microphone, speaker));
    phone.on('quality', (quality) => this.#quality(quality));
    phone.on('error', ({ code, description }) => this.#failed(code, description));
  }

  #dial(address: string): void {
    if (this.#state !== 'idle') return;
    if (this.#phone.address === undefined && element('line', HTMLElement).dataset.line === 'down') {
      this.#notice('The gateway cannot be reached. This page tries again by itself; call when the dot is green.');
      return;
    }
    this.#notice('');
    this.#call = { outgoing: true, address, name: '', at: Date.now() };
    this.#show('calling');
    setText('call-state', 'Calling…');
    this.#phone.dial(address);
  }

  #accept(): void {
    this.#tones.stop();
    this.#show('calling');
    setText('call-state', 'Connecting…');
    this.#phone.accept();
  }

  #hangUp(tell: () => void): void {
    const ringing = this.#state !== 'idle' && this.#phone.status === CallStatus.notConnected;
    if (this.#call !== undefined) this.#call.hungUp = true;
    tell();
    this.#tones.stop();
    // Nothing was asked of the gateway yet, so it has nothing to tell.
    if (ringing && this.#call?.outgoing === true) this.#ended();
  }

  #mute(muted: boolean): void {
    this.#phone.mute(muted);
    button('mute').setAttribute('aria-pressed', String(muted));
  }

  #hold(local: boolean, remote: boolean): void {
    this.#held = local;
    button('hold').setAttribute('aria-pressed', String(local));
    const words = local ? 'On hold' : remote ? 'The other side holds the call' : 'Connected';
    if (this.#state === 'connected') setText('call-state', words);
  }

  #openTransfer(open: boolean): void {
    show('transfer-form', open);
    button('transfer').setAttribute('aria-expanded', String(open));
    if (open) input('transfer-to').focus();
  }

  #key(key: string): void {
    this.#tones.key(key);
    if (this.#state === 'connected') this.#phone.sendDTMF(key);
    else if (this.#state === 'idle') input('destination').value += key;
  }

  /** Digits are tones in a call, and a number before it; Escape ends. */
  #typed(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.ctrlKey || event.altKey || event.metaKey || element('settings', HTMLDialogElement).open) return;
    if (event.key === 'Escape' && this.#state !== 'idle') {
      event.preventDefault();
      if (this.#state === 'incoming') button('reject').click();
      else button('hangup').click();
    } else if (!typing && /^[\d*#]$/.test(event.key) && !event.repeat) {
      event.preventDefault();
      this.#key(event.key);
    }
  }

  #incoming({ from, displayName = '' }: SonoPhoneEvents['incoming']): void {
    this.#call = { outgoing: false, address: from, name: tame(displayName), at: Date.now() };
    this.#notice('');
    this.#show('incoming');
    this.#tones.ring();
    setText('announcement', `Incoming call from ${element('incoming-name', HTMLElement).textContent}`);
    // Whoever is typing a number must not answer by the Enter that was meant to dial it.
    if (!(document.activeElement instanceof HTMLInputElement)) button('accept').focus();
  }

  #changed({ status, sipStatus, reason }: SonoPhoneEvents['status']): void {
    document.body.dataset.status = String(status);
    switch (status) {
      case CallStatus.inProgress:
        setText('call-state', 'Ringing…');
        if (this.#call?.outgoing) this.#tones.ringBack();
        break;
      case CallStatus.connectStreams:
        this.#tones.stop();
        setText('call-state', 'Connecting…');
        break;
      case CallStatus.connected:
        this.#tones.stop();
        if (this.#call !== undefined) this.#call.answeredAt = performance.now();
        this.#show('connected');
        setText('call-state', 'Connected');
        break;
      case CallStatus.disconnecting:
        setText('call-state', 'Hanging up…');
        break;
      case CallStatus.notConnected:
        this.#ended(sipStatus, reason);
    }
  }

  #ended(sipStatus?: number, reason?: string): void {
    this.#tones.stop();
    const call = this.#call;
    this.#call = undefined;
    this.#hold(false, false);
    this.#openTransfer(false);
    this.#show('idle');
    if (call === undefined) return;
    const { outgoing, address, name, at, answeredAt, hungUp } = call;
    const seconds = answeredAt === undefined ? undefined : (performance.now() - answeredAt) / 1000;
    this.#log.add({ at, outgoing, address, name, ...(seconds !== undefined && { seconds }) });
    if (hungUp) return;
    if (!outgoing && answeredAt === undefined) this.#notice(`Missed call from ${name || tame(shortAddress(address))}.`);
    else if (answeredAt !== undefined && sipStatus === undefined) this.#notice(this.#endWords(reason));
    else {
      this.#tones.busy();
      this.#notice(failureWords(sipStatus, reason && tame(reason)));
    }
  }

  #endWords(reason: string | undefined): string {
    return this.#phone.address === undefined && reason !== undefined
      ? `The call was lost: ${tame(reason)}.`
      : 'The other side has ended the call.';
  }

  #failed(code: string, description: string): void {
    this.#notice(tame(description, 300));
    if (this.#phone.status !== CallStatus.notConnected || this.#state === 'idle') return;
    if (this.#call?.outgoing) {
      this.#tones.stop();
      this.#call = undefined;
      this.#show('idle');
    } else if (code.startsWith('Microphone.') || code.startsWith('Audio.')) {
      // It goes on ringing: once the microphone is allowed, it can still be answered.
      this.#show('incoming');
      this.#tones.ring();
    }
  }

  #level(microphone: number, speaker: number): void {
    element('said', HTMLMeterElement).value = microphone;
    element('heard', HTMLMeterElement).value = speaker;
    const since = this.#call?.answeredAt;
    // Levels come from the audio thread, which no browser slows down: so does the timer.
    if (since !== undefined) setText('timer', duration((performance.now() - since) / 1000));
  }

  #quality({ loss, late, bufferMs, jitterMs, roundTripMs }: CallQuality): void {
    const missing = loss + late;
    const grade = missing < 0.02 && bufferMs < 200 ? 'good' : missing < 0.08 ? 'fair' : 'poor';
    element('quality', HTMLElement).dataset.quality = grade;
    const trip = roundTripMs === undefined ? '' : ` · ${roundTripMs} ms to the gateway`;
    setText('quality-text', `${grade[0]?.toUpperCase()}${grade.slice(1)} · ${bufferMs} ms buffered${trip}`);
    element('quality', HTMLElement).title = `${Math.round(missing * 100)} % missing, ${jitterMs} ms jitter`;
  }

  #line(line: 'connecting' | 'up' | 'down', text: string): void {
    const shown = element('line', HTMLElement);
    shown.dataset.line = line;
    shown.title = text;
    setText('line', text);
  }

  #notice(text: string): void {
    setText('notice-text', text);
    show('notice', text !== '');
  }

  #show(state: State): void {
    const before = this.#state;
    this.#state = state;
    document.body.dataset.state = state;
    const inCall = state === 'calling' || state === 'connected';
    show('incoming', state === 'incoming');
    show('call', inCall);
    show('dialer', state === 'idle');
    show('welcome', state === 'idle' && this.#echo !== undefined);
    show('keys', state === 'idle' || state === 'connected');
    show('dial', state === 'idle');
    show('hangup', inCall);
    for (const part of ['timer', 'quality']) show(part, state === 'connected');
    for (const id of ['hold', 'transfer']) button(id).disabled = state !== 'connected';
    const address = tame(shortAddress(this.#call?.address ?? ''));
    const name = this.#call?.name || userOf(address);
    for (const id of ['call-name', 'incoming-name']) setText(id, name);
    for (const id of ['call-address', 'incoming-address']) setText(id, address);
    if (state === 'calling' && before !== 'calling') {
      setText('timer', '');
      setText('quality-text', 'Measuring…');
      button('hangup').focus();
    }
    if (state !== 'incoming') setText('announcement', '');
    if (state === 'idle' && before !== 'idle') input('destination').focus({ preventScroll: true });
    document.title = state === 'incoming' ? `☎ ${name} is calling` : 'Sono web phone';
  }
}

/** What a gateway gives who has not registered, for no one to guess or to remember. */
const isMadeUp = (uri: string): boolean => /^sips?:[0-9a-f]{8}-[0-9a-f-]{27}@/i.test(uri);

const userOf = (address: string): string => address.replace(/@.*$/, '') || 'Unknown';
