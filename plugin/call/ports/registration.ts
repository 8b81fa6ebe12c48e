/** Keeps addresses registered. */
export interface RegistrationPort {
  /** Where to register an address of this domain, or of none in particular, when nobody says where. */
  home(domain: string | undefined): RegistrarAddress | undefined;
  /** Never throws: the first event is `registered` or `failed`; after `registered` there may be one `lost`. */
  register(request: RegistrationRequest, listener: (event: RegistrationEvent) => void): Registration;
}

export interface RegistrarAddress {
  /** Host part of the addresses there. */
  readonly domain: string;
  /** SIP URI. */
  readonly registrar: string;
  /** It is ours: what calls one of our clients by its own name needs no registration. */
  readonly local: boolean;
}

export interface RegistrationRequest {
  /** The address to be called at, `sip:user@domain`. */
  readonly address: string;
  /** SIP URI of the registrar. */
  readonly registrar: string;
  /** User part of the Contact: what calls to this registration will be for. */
  readonly contactUser: string;
  /** Goes on trying also when the first attempts come to nothing; a refusal is final all the same. */
  readonly patient?: boolean;
  readonly credentials?: Credentials;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface Registration {
  /** Un-registers. No event follows. */
  end(): void;
}

export type RegistrationEvent =
  | { readonly type: 'registered' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'lost'; readonly reason: string };
