import { CallStatus, type SonoPhoneEvents } from '../src/events.js';
import type { SonoPhone } from '../src/sono-phone.js';
import { CallDisplay } from './call-display.js';
import { CallLog } from './call-log.js';
import { type State, showState } from './call-view.js';
import { Calls, callFrom } from './calls.js';
import { button, element, input, setText } from './dom.js';
import { gatewayIsDown, showGatewayLine } from './gateway-line.js';
import { makeKeyPad } from './key-pad.js';
import { listenToKeyboard } from './keyboard.js';
import { Messages } from './messages.js';
import { showNotice } from './notice.js';
import { Tones } from './tones.js';
import { TransferForm } from './transfer-form.js';
import { endWords, otherEndWords, partyWords, shortAddress, tame } from './words.js';

/** Shows a SonoPhone, and hands it what is clicked and typed. Texts from outside are only ever set as text. */
export class PhonePage {
  readonly #phone: SonoPhone;
  readonly #tones = new Tones();
  readonly #log: CallLog;
  readonly #calls = new Calls();
  readonly #display: CallDisplay;
  readonly #transfer: TransferForm;
  #state: State = 'idle';
  #echo: string | undefined;

  constructor(phone: SonoPhone) {
    this.#phone = phone;
    this.#log = new CallLog((address) => this.#dial(address));
    this.#display = new CallDisplay(phone, () => this.#calls.active?.answeredAt);
    this.#transfer = new TransferForm((to) => phone.transfer(to));
    new Messages(phone);
    showGatewayLine(phone);
    makeKeyPad((key) => this.#key(key));
    this.#wireButtons();
    this.#wirePhone();
    listenToKeyboard({ key: (key) => this.#key(key), escape: () => this.#escape() });
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
    button('mute').onclick = () => {
      this.#phone.mute(!this.#phone.muted);
      button('mute').setAttribute('aria-pressed', String(this.#phone.muted));
    };
    button('hold').onclick = () => this.#phone.hold(!this.#display.held);
    button('other-accept').onclick = () => this.#change(() => this.#phone.accept());
    button('other-reject').onclick = () => this.#rejectOther();
    button('swap').onclick = () => this.#change(() => this.#phone.swap());
    button('notice-close').onclick = () => showNotice('');
  }

  #wirePhone(): void {
    const phone = this.#phone;
    phone.on('status', (status) => this.#changed(status));
    phone.on('incoming', (caller) => this.#incoming(caller));
    phone.on('waiting', (caller) => this.#waiting(caller));
    phone.on('switched', (party) => this.#switched(party));
    phone.on('waitingEnded', ({ reason }) => this.#otherEnded(reason));
    phone.on('disconnected', () => this.#otherEnded());
    phone.on('hold', ({ local, remote, reason }) => {
      this.#display.hold(local, remote, this.#state === 'connected');
      if (reason !== undefined) showNotice(`Hold did not work: ${tame(reason)}.`);
    });
    phone.on('transferFailed', ({ reason }) => showNotice(`The transfer did not work: ${tame(reason)}.`));
    phone.on('transferred', ({ uri }) => showNotice(`Transferred to ${tame(shortAddress(uri))}.`));
    phone.on('error', (error) => this.#failed(error));
  }

  #dial(address: string): void {
    if (this.#state !== 'idle') return;
    if (this.#phone.address === undefined && gatewayIsDown()) {
      showNotice('The gateway cannot be reached. This page tries again by itself; call when the dot is green.');
      return;
    }
    showNotice('');
    this.#calls.begin({ outgoing: true, address, name: '', at: Date.now() });
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
    const call = this.#calls.active;
    if (call !== undefined) call.hungUp = true;
    tell();
    this.#tones.stop();
    // Nothing was asked of the gateway yet, so it has nothing to tell.
    if (ringing && call?.outgoing === true) this.#ended();
  }

  #key(key: string): void {
    this.#tones.key(key);
    if (this.#state === 'connected') this.#phone.sendDTMF(key);
    else if (this.#state === 'idle') input('destination').value += key;
  }

  /** Refuses who calls, or else ends the call. */
  #escape(): boolean {
    if (this.#state === 'idle') return false;
    if (this.#state === 'incoming') button('reject').click();
    else if (this.#calls.other?.state === 'waiting') button('other-reject').click();
    else button('hangup').click();
    return true;
  }

  #incoming(caller: SonoPhoneEvents['incoming']): void {
    this.#calls.begin(callFrom(caller));
    showNotice('');
    this.#show('incoming');
    this.#tones.ring();
    // Whoever is typing a number must not answer by the Enter that was meant to dial it.
    if (!(document.activeElement instanceof HTMLInputElement)) button('accept').focus();
  }

  #waiting(caller: SonoPhoneEvents['waiting']): void {
    this.#calls.waiting(callFrom(caller));
    this.#tones.waiting();
    this.#show(this.#state);
  }

  /** Asks for the other call. */
  #change(tell: () => void): void {
    this.#tones.stop();
    this.#calls.change();
    tell();
  }

  #rejectOther(): void {
    const other = this.#calls.other?.call;
    if (other !== undefined) other.hungUp = true;
    this.#tones.stop();
    this.#phone.reject();
  }

  #switched(party: SonoPhoneEvents['switched']): void {
    this.#tones.stop();
    const over = this.#calls.switched(party, performance.now());
    this.#transfer.close();
    this.#show(this.#state);
    this.#display.hold(false, false, true);
    if (over === undefined) return;
    this.#log.add(over);
    if (!over.hungUp) showNotice(`${partyWords(over).name} has ended the call.`);
  }

  #otherEnded(reason?: string): void {
    const over = this.#calls.otherEnded();
    if (over === undefined) return;
    this.#tones.stop();
    this.#show(this.#state);
    this.#log.add(over.call);
    if (!over.call.hungUp) showNotice(otherEndWords(over, reason));
  }

  #changed({ status, ...how }: SonoPhoneEvents['status']): void {
    document.body.dataset.status = String(status);
    const call = this.#calls.active;
    switch (status) {
      case CallStatus.inProgress:
        setText('call-state', 'Ringing…');
        if (call?.outgoing) this.#tones.ringBack();
        break;
      case CallStatus.connectStreams:
        this.#tones.stop();
        setText('call-state', 'Connecting…');
        break;
      case CallStatus.connected:
        this.#tones.stop();
        if (call !== undefined) call.answeredAt ??= performance.now();
        this.#show('connected');
        setText('call-state', 'Connected');
        break;
      case CallStatus.disconnecting:
        setText('call-state', 'Hanging up…');
        break;
      case CallStatus.notConnected:
        this.#ended(how);
    }
  }

  #ended(how: { readonly sipStatus?: number; readonly reason?: string } = {}): void {
    this.#tones.stop();
    const call = this.#calls.ended();
    this.#display.hold(false, false, false);
    this.#transfer.close();
    this.#show('idle');
    if (call === undefined) return;
    this.#log.add(call);
    if (call.hungUp) return;
    if (call.outgoing && call.answeredAt === undefined) this.#tones.busy();
    showNotice(endWords(call, how, this.#phone.address === undefined));
  }

  #failed({ code, description, command }: SonoPhoneEvents['error']): void {
    // There was nobody any more to turn to.
    if (command === 'swap') this.#otherEnded();
    const words = tame(description, 300);
    showNotice(command === 'sendMessage' ? `The message was not delivered: ${words}.` : words);
    if (command !== undefined && command !== 'dial') return;
    if (this.#phone.status !== CallStatus.notConnected || this.#state === 'idle') return;
    if (this.#calls.active?.outgoing) {
      this.#tones.stop();
      this.#calls.ended();
      this.#show('idle');
    } else if (code.startsWith('Microphone.') || code.startsWith('Audio.')) {
      // It goes on ringing: once the microphone is allowed, it can still be answered.
      this.#show('incoming');
      this.#tones.ring();
    }
  }

  #show(state: State): void {
    const before = this.#state;
    this.#state = state;
    showState(state, this.#calls, this.#echo !== undefined);
    if (state === 'calling' && before !== 'calling') {
      this.#display.clear();
      button('hangup').focus();
    }
    if (state === 'idle' && before !== 'idle') input('destination').focus({ preventScroll: true });
  }
}
