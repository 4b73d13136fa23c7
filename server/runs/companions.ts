import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { writeJsonAtomic } from './files';

/** Small files beside the weights that a loader needs: configuration, tokenizer, processors, licence. */
const companionPattern = /\.(json|txt|model|jinja|py|md|spm|tiktoken)$|^LICENSE/i;

/** Made by us or by a merge, so never copied from an input. */
const ownFiles = new Set(['dataset_statistics.json', 'manifest.json', 'README.md', 'report.json']);

/** Larger files are weights or data, whatever they are called; the largest vocabularies have 40 MB. */
const maximumBytes = 64 << 20;

/**
 * Copies configuration and tokenizer files into `target`. The first folder that has a name gives it:
 * the base's word counts before an expert's. Folders that are not there are passed over.
 */
export function copyCompanions(folders: readonly string[], target: string): string[] {
  mkdirSync(target, { recursive: true });
  const copied: string[] = [];
  for (const folder of folders.filter(isFolder))
    for (const name of readdirSync(folder).sort()) {
      const from = join(folder, name);
      if (!isCompanion(name) || existsSync(join(target, name))) continue;
      const stat = statSync(from);
      if (!stat.isFile() || stat.size > maximumBytes) continue;
      copyFileSync(from, join(target, name));
      copied.push(name);
    }
  return copied;
}

/**
 * Writes `dataset_statistics.json` with the entries of every folder's. Two tasks with one entry of
 * the same content share it. Throws MV536 where the contents differ, because one would be lost.
 */
export function mergeStatistics(folders: readonly string[], target: string): void {
  const entries = new Map<string, { readonly value: unknown; readonly from: string }>();
  for (const folder of folders) {
    const path = join(folder, 'dataset_statistics.json');
    if (!existsSync(path)) continue;
    for (const [name, value] of Object.entries(readStatistics(path))) {
      const known = entries.get(name);
      if (known && JSON.stringify(known.value) !== JSON.stringify(value))
        throw new MergeError(
          'MV536',
          `${known.from} and ${path} give different statistics for "${name}", so one task would act with the other's; rename the entry`,
        );
      entries.set(name, { value, from: path });
    }
  }
  if (entries.size === 0) return;
  const union = Object.fromEntries([...entries].map(([name, { value }]) => [name, value]));
  writeJsonAtomic(join(target, 'dataset_statistics.json'), union);
}

function readStatistics(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new MergeError('MV536', `${path} is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MergeError('MV536', `${path} is not a JSON object of data sets`);
  return value as Record<string, unknown>;
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function isCompanion(name: string): boolean {
  return (
    companionPattern.test(name) &&
    !name.endsWith('.index.json') &&
    !name.startsWith('.') &&
    !/^adapter_config\.json$/.test(name) &&
    !ownFiles.has(name)
  );
}
