/** Runs what handles a peer's octets. What that throws costs the media of its call, and not the process. */
export function contain(action: () => void, broke: (error: unknown) => void): void {
  try {
    action();
  } catch (error) {
    broke(error);
  }
}
