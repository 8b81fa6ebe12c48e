import { Call } from '../call/call.js';
import type { CallPorts } from '../call/call-ports.js';
import type { ClientAudio } from '../call/client-audio.js';
import type { CallParties } from '../call/parties.js';
import type { Caller, CallNotice, CallStatusUpdate, ClientFrame, ClientPort, ClientVideo } from '../call/ports.js';

/** Whom the client talks to. */
export interface FarParty {
  /** SIP address. */
  readonly uri: string;
  readonly displayName?: string;
}

/** Where what a call tells its client goes: its line knows what of it the client is to hear. */
export interface CallAudience {
  status(of: LineCall, update: CallStatusUpdate): void;
  incoming(of: LineCall, caller: Caller): void;
  notice(of: LineCall, notice: CallNotice): void;
  play(of: LineCall, frame: ClientFrame): boolean;
  keyFrameWanted(of: LineCall): void;
}

/** One call of a line, with what the line knows of it: to the call it is the client. */
export class LineCall implements ClientPort {
  readonly call: Call;
  /** Whether the client has asked for video in it. */
  wantsVideo = false;
  /** Whether the client holds it by its own wish. */
  held = false;
  /** Who calls, once the client may know. */
  caller: Caller | undefined;
  readonly #client: Pick<ClientPort, 'audio' | 'video'>;
  readonly #audience: CallAudience;
  #party: FarParty;
  /** Whether the far end holds the call, and how that was told. */
  #remoteHold: CallNotice | undefined;

  constructor(
    parties: CallParties,
    ports: Omit<CallPorts, 'client'>,
    client: Pick<ClientPort, 'audio' | 'video'>,
    audience: CallAudience,
  ) {
    this.#client = client;
    this.#audience = audience;
    this.#party = parties.direction === 'outgoing' ? { uri: parties.uri } : partyOf(parties.invite.caller);
    this.call = new Call(parties, { ...ports, client: this });
  }

  status(update: CallStatusUpdate): void {
    this.#audience.status(this, update);
  }

  incoming(caller: Caller): void {
    this.#audience.incoming(this, caller);
  }

  notice(notice: CallNotice): void {
    this.#remember(notice);
    this.#audience.notice(this, notice);
  }

  play(frame: ClientFrame): boolean {
    return this.#audience.play(this, frame);
  }

  audio(): Promise<ClientAudio> {
    return this.#client.audio();
  }

  video(): ClientVideo | undefined {
    return this.#client.video?.() ?? (this.wantsVideo ? {} : undefined);
  }

  keyFrameWanted(): void {
    this.#audience.keyFrameWanted(this);
  }

  get party(): FarParty {
    return this.#party;
  }

  /** What a client is to hear that turns to a call whose far end holds it. */
  get remoteHold(): CallNotice | undefined {
    return this.#remoteHold;
  }

  get connected(): boolean {
    return this.call.state === 'connected';
  }

  get ended(): boolean {
    return this.call.state === 'ended';
  }

  /** Somebody calls, the client knows and has not answered. */
  get ringing(): boolean {
    return this.caller !== undefined && this.call.state === 'ringing';
  }

  #remember(notice: CallNotice): void {
    if (notice.type === 'transferred') {
      this.#party = { uri: notice.uri };
      this.#remoteHold = undefined;
    } else if (notice.type === 'hold') {
      this.#remoteHold = notice.remote ? notice : undefined;
    }
  }
}

function partyOf({ from, displayName }: Caller): FarParty {
  return { uri: from, ...(displayName !== undefined && { displayName }) };
}
