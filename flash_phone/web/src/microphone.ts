import { SonoPhoneError } from './events.js';

/** @throws SonoPhoneError where the browser gives a page neither the microphone nor an AudioWorklet */
export function checkSecure(): void {
  if (globalThis.isSecureContext) return;
  throw new SonoPhoneError(
    'Microphone.Insecure',
    'Browsers give the microphone only to pages that come by https, or from localhost.',
  );
}

/**
 * The microphone, cleaned of the speaker's echo and of noise by the browser.
 * @param deviceId the system's choice when undefined
 * @throws SonoPhoneError with words for a person
 */
export async function openMicrophone(deviceId: string | undefined): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        channelCount: 1,
        ...(deviceId !== undefined && { deviceId: { exact: deviceId } }),
      },
    });
  } catch (cause) {
    const name = cause instanceof DOMException ? cause.name : '';
    // A chosen microphone that was pulled out is no reason not to call.
    if (deviceId !== undefined && (name === 'OverconstrainedError' || name === 'NotFoundError'))
      return openMicrophone(undefined);
    const [code, description] = reasons[name] ?? ['Microphone.Failed', 'The microphone cannot be used.'];
    throw new SonoPhoneError(code, description, { cause });
  }
}

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  NotAllowedError: [
    'Microphone.Denied',
    'This page may not use the microphone. Allow it in the browser, beside the address of the page, and call again.',
  ],
  SecurityError: ['Microphone.Denied', 'This page may not use the microphone: the browser forbids it.'],
  NotFoundError: ['Microphone.NotFound', 'There is no microphone. Plug one in and call again.'],
  NotReadableError: ['Microphone.Busy', 'The microphone cannot be opened; another program may be using it.'],
};
