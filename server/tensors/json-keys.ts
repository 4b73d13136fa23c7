/**
 * The first key that one object of a JSON text names twice, or nothing. `JSON.parse` keeps the last
 * of two equal keys, so a file could show one tensor to us and another to the next reader.
 * The text must be valid JSON.
 */
export function duplicateKey(text: string): string | undefined {
  /** One set of seen keys for each open object, `undefined` for each open array. */
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === quote) {
      const end = stringEnd(text, i);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) {
        const key = decoded(text.slice(i, end));
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end - 1;
    } else if (character === openBrace) open.push(new Set());
    else if (character === openBracket) open.push(undefined);
    else if (character === closeBrace || character === closeBracket) open.pop();
  }
  return undefined;
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Index after the closing quote of the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== quote)
    i += text.charCodeAt(i) === backslash ? 2 : 1;
  return i + 1;
}

function isKey(text: string, from: number): boolean {
  let i = from;
  while (i < text.length && text.charCodeAt(i) <= 0x20) i++;
  return text.charCodeAt(i) === colon;
}

function decoded(literal: string): string {
  return literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1);
}
