import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Addresses of the explanations of problems, by code. */
export type CodePages = ReadonlyMap<string, string>;

/**
 * Where the generated reference of problems explains each code. It is a file of the package, so links
 * open without a network; editors take `#L` and a number as the line to go to. Empty where the server
 * runs without its package.
 */
export function readCodePages(reference: string): CodePages {
  let text: string;
  try {
    text = readFileSync(reference, 'utf8');
  } catch {
    return new Map();
  }
  const { href } = pathToFileURL(reference);
  return new Map(
    text.split('\n').flatMap((line, i): [string, string][] => {
      const code = /^## (MV\d+)$/.exec(line)?.[1];
      return code === undefined ? [] : [[code, `${href}#L${String(i + 1)}`]];
    }),
  );
}
