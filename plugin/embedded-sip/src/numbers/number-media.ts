/** The media side of a call to a number: descriptions in and out, RTP in between. */
export interface NumberMedia {
  /** Whether a peer that sends nothing has gone: not while it holds the call, nor where it need not speak. */
  readonly expectsMedia: boolean;
  /** The answer to an offer; undefined when it is no description or has nothing in common with us. */
  answer(offer: string): Promise<string | undefined>;
  /** An offer of our own, or the current description again in a later one. */
  offer(): Promise<string>;
  /** Takes the answer to our offer; false when it refuses the audio. */
  accept(answer: string): boolean;
  /** The caller has ACKed, so it is where it says it is: what was not asked for by RTP may be sent from now on. */
  start(): void;
  close(): void;
}
