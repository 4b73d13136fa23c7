import { isAbsolute, relative } from 'node:path';

/** A path as a person would type it: relative below the current folder, else as it is. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}
