/** Where this script came from, and so where its worklet and the codec lie, and, unless another is named, the gateway. */
let base = '';

export function setBase(url: string): void {
  base = url;
}

export const assetUrl = (name: string): string => new URL(name, base || location.href).href;

/** The gateway that served the script; the one on this machine for a page that was opened from a file. */
export function defaultGateway(): string {
  const { protocol, host } = new URL(base || location.href);
  if (host === '') return 'ws://localhost:8080/rtmp';
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rtmp`;
}
