import { readFile } from 'node:fs/promises';
import { pathOf } from './convert';

/** The text of a file by address or path, as UTF-8 without its byte order mark. */
export async function readText(uriOrPath: string): Promise<string> {
  const text = await readFile(pathOf(uriOrPath) ?? uriOrPath, 'utf8');
  return text.replace(/^\uFEFF/, '');
}
