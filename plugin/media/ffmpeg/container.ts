/** What carries audio to FFmpeg, or from it, on a pipe. */
export interface Container {
  /** Options of FFmpeg that name it, behind those that say how to read or write it. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  /** What comes before the first message. */
  readonly header: Buffer;
  /**
   * @param body of an FLV audio tag
   * @param position milliseconds from the first one
   */
  write(body: Uint8Array, position: number): Buffer;
  /** @param take gets the body of an FLV audio tag, of its own memory, and its milliseconds */
  reader(take: (body: Buffer, position: number) => void): ContainerReader;
}

export interface ContainerReader {
  /** @returns false when this is something else: nothing more can be read then */
  push(bytes: Buffer): boolean;
}
