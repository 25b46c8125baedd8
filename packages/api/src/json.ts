import { refusal } from '@alcor/network';

/** The JSON value that `source` spells, of at most `maxDepth` levels; undefined for no text at all. */
export function parseJson(source: string, maxDepth: number): unknown {
  if (source.trim() === '') return undefined;
  if (deeperThan(source, maxDepth)) {
    throw refusal('HTTPBadRequest', { reason: `The request body nests deeper than ${maxDepth} levels.` });
  }
  try {
    return JSON.parse(source) as unknown;
  } catch (cause) {
    throw refusal('HTTPBadRequest', { reason: 'Malformed request body: cannot understand JSON.' }, { cause });
  }
}

const quote = 0x22;
const backslash = 0x5c;

/** Looks before parsing: the parser would already have spent the stack. Exact on JSON; on anything else the parser objects. */
function deeperThan(source: string, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < source.length; at += 1) {
    const code = source.charCodeAt(at);
    if (code === quote) at = endOfString(source, at);
    else if (code === 0x5b || code === 0x7b) depth += 1;
    else if (code === 0x5d || code === 0x7d) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** Where the string that opens at `start` has its closing quote. */
function endOfString(source: string, start: number): number {
  for (let at = source.indexOf('"', start + 1); at >= 0; at = source.indexOf('"', at + 1)) {
    let slashes = 0;
    while (source.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return source.length;
}
