/** Parameters by lower-case name; a parameter without a value maps to the empty string. */
export type Params = ReadonlyMap<string, string>;

/** Parses `;name=value;flag` (RFC 3261 generic-param). Text before the first semicolon is ignored; the first of two equal names wins. */
export function parseParams(text: string): Params {
  const params = new Map<string, string>();
  let at = text.indexOf(';');
  while (at !== -1 && at < text.length) {
    const end = endOfParam(text, at + 1);
    const param = text.slice(at + 1, end);
    const equals = param.indexOf('=');
    const name = (equals === -1 ? param : param.slice(0, equals)).trim().toLowerCase();
    if (name !== '' && !params.has(name)) params.set(name, equals === -1 ? '' : param.slice(equals + 1).trim());
    at = end;
  }
  return params;
}

/** Written so that it takes linear time whatever it is given. */
const PARAM = /^[A-Za-z0-9\-.!%*_+`'~]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^",\s][^",]*)?)?$/s;

/** Whether every parameter of `;a=b;c` has a name: `;;`, a trailing semicolon and a stray comma are malformed. */
export function areWellFormedParams(text: string): boolean {
  if (text === '') return true;
  if (!text.startsWith(';')) return false;
  for (let at = 0; at < text.length; ) {
    const end = endOfParam(text, at + 1);
    if (!PARAM.test(text.slice(at + 1, end).trim())) return false;
    at = end;
  }
  return true;
}

function endOfParam(text: string, from: number): number {
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ';') return i;
  }
  return text.length;
}
