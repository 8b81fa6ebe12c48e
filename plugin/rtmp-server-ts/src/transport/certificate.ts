import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Clock } from '../session/clock.js';

/** Paths of PEM files. */
export interface CertificateFiles {
  /** The certificate, then those that lead to its authority. */
  readonly cert: string;
  readonly key: string;
}

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Both files are small; reading them sees any way of replacing them, symbolic links and all. */
const CHECK_INTERVAL = 10_000;

/** @throws RtmpError `tls.certificate` when a file cannot be read, or the two do not belong together */
export async function readCertificate({ cert, key }: CertificateFiles): Promise<Certificate> {
  try {
    const certificate = { cert: await readFile(cert), key: await readFile(key) };
    createSecureContext(certificate);
    return certificate;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RtmpError('tls.certificate', `certificate ${cert} with key ${key}: ${reason}`, { cause: error });
  }
}

/** Tells of a certificate that has been renewed. One that cannot be used is told once, and what was used before stays. */
export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #clock: Clock;
  readonly #renewed: (certificate: Certificate) => void;
  readonly #failed: (error: RtmpError) => void;
  #current: Certificate;
  #lastFailure = '';
  #timer: unknown;
  #stopped = false;

  constructor(
    files: CertificateFiles,
    current: Certificate,
    clock: Clock,
    handler: { renewed(certificate: Certificate): void; failed(error: RtmpError): void },
  ) {
    this.#files = files;
    this.#current = current;
    this.#clock = clock;
    this.#renewed = handler.renewed;
    this.#failed = handler.failed;
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => void this.#check(), CHECK_INTERVAL);
  }

  async #check(): Promise<void> {
    const result = await readCertificate(this.#files).catch((error: RtmpError) => error);
    if (this.#stopped) return;
    this.#wait();
    if (result instanceof RtmpError) this.#fail(result);
    else this.#take(result);
  }

  #fail(error: RtmpError): void {
    if (error.message !== this.#lastFailure) this.#failed(error);
    this.#lastFailure = error.message;
  }

  #take(certificate: Certificate): void {
    this.#lastFailure = '';
    const { cert, key } = this.#current;
    if (certificate.cert.equals(cert) && certificate.key.equals(key)) return;
    this.#current = certificate;
    this.#renewed(certificate);
  }
}
