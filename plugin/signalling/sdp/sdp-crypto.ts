import type { CryptoAttribute } from '../../call/session-description.js';

/** RFC 4568 section 9.1: tag, suite, key parameters, any number of session parameters. */
const cryptoLine = /^a=crypto:(\d{1,9})[ \t]+([A-Za-z0-9_]+)[ \t]+(\S+)((?:[ \t]+\S+)*)[ \t]*$/;

/**
 * The `a=crypto` lines of each `m=` section. Read here and not by sdp-transform, which keeps one session parameter of
 * several: what is not understood has to be seen to be refused.
 */
export function readCrypto(text: string): readonly (readonly CryptoAttribute[])[] {
  const sections: CryptoAttribute[][] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.startsWith('m=')) sections.push([]);
    const [, tag, suite, keyParameters, rest] = cryptoLine.exec(line) ?? [];
    if (suite === undefined || keyParameters === undefined) continue;
    const sessionParameters = rest?.trim() ? rest.trim().split(/\s+/) : [];
    sections.at(-1)?.push({
      tag: Number(tag),
      suite,
      keyParameters,
      ...(sessionParameters.length > 0 && { sessionParameters }),
    });
  }
  return sections;
}

/** As sdp-transform writes it. */
export function writeCrypto({ tag, suite, keyParameters, sessionParameters = [] }: CryptoAttribute) {
  const sessionConfig = sessionParameters.join(' ');
  return { id: tag, suite, config: keyParameters, ...(sessionConfig && { sessionConfig }) };
}
