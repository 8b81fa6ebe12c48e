export interface Device {
  readonly id: string;
  /** Browsers tell names only once the microphone was allowed. */
  readonly name: string;
}

export interface DeviceList {
  readonly microphones: readonly Device[];
  readonly speakers: readonly Device[];
}

/** Microphones and speakers. */
export class Devices {
  readonly #use: (kind: 'microphone' | 'speaker', id: string | undefined) => Promise<void>;
  #microphone: string | undefined;
  #speaker: string | undefined;

  constructor(use: (kind: 'microphone' | 'speaker', id: string | undefined) => Promise<void>) {
    this.#use = use;
  }

  /** Id of the chosen one; undefined leaves the choice to the system. */
  get microphone(): string | undefined {
    return this.#microphone;
  }

  get speaker(): string | undefined {
    return this.#speaker;
  }

  async list(): Promise<DeviceList> {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const ofKind = (kind: MediaDeviceKind) =>
      all
        .filter((device) => device.kind === kind && device.deviceId !== '')
        .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
    return { microphones: ofKind('audioinput'), speakers: ofKind('audiooutput') };
  }

  /** From now on, in a call that is up too. */
  async useMicrophone(id: string | undefined): Promise<void> {
    this.#microphone = id;
    await this.#use('microphone', id);
  }

  async useSpeaker(id: string | undefined): Promise<void> {
    this.#speaker = id;
    await this.#use('speaker', id);
  }
}
