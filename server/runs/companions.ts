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

/** Where one task's statistics are. */
export interface StatisticsSource {
  /** Absent: the file already holds every task's. */
  readonly task?: string;
  readonly folder: string;
}

/**
 * Writes `dataset_statistics.json` with the entries of every expert's. A policy looks for its task's
 * name (or that with `_no_noops`), so a task whose only entry is called otherwise gets it under its
 * own name as well; where two experts give one name to different numbers, only under that.
 * Throws MV536 where numbers would be lost.
 */
export function mergeStatistics(sources: readonly StatisticsSource[], target: string): void {
  const parts = joinStatistics(sources);
  if (parts.length > 0)
    writeJsonAtomic(join(target, 'dataset_statistics.json'), Object.assign({}, ...parts));
}

/** Throws MV536 where `mergeStatistics` would, and writes nothing. */
export function checkStatistics(sources: readonly StatisticsSource[]): void {
  joinStatistics(sources);
}

function joinStatistics(sources: readonly StatisticsSource[]): Record<string, unknown>[] {
  const files = sources.flatMap(({ task, folder }) => {
    const path = join(folder, 'dataset_statistics.json');
    return existsSync(path) ? [{ task, path, entries: readStatistics(path) }] : [];
  });
  const disputed = disputedNames(files);
  return files.map((file) => entriesFor(file, disputed));
}

interface StatisticsFile {
  readonly task: string | undefined;
  readonly path: string;
  readonly entries: Readonly<Record<string, unknown>>;
}

/** What one expert's file adds to the union. */
function entriesFor(
  { task, path, entries }: StatisticsFile,
  disputed: ReadonlySet<string>,
): Record<string, unknown> {
  const names = Object.keys(entries);
  const isNamed = names.some((name) => name === task || name === `${task ?? ''}_no_noops`);
  const onlyOne = task !== undefined && names.length === 1 && !isNamed ? task : undefined;
  const lost = names.find((name) => disputed.has(name));
  if (lost !== undefined && onlyOne === undefined)
    throw new MergeError(
      'MV536',
      `${path} gives other statistics for "${lost}" than another expert does, so one task would act with the other's; rename the entry`,
    );
  const kept = Object.entries(entries).filter(([name]) => !disputed.has(name));
  const own = onlyOne === undefined ? {} : { [onlyOne]: Object.values(entries)[0] };
  return { ...Object.fromEntries(kept), ...own };
}

/** Names that two files give to different contents. */
function disputedNames(files: readonly StatisticsFile[]): Set<string> {
  const contents = new Map<string, string>();
  const disputed = new Set<string>();
  for (const { entries } of files)
    for (const [name, value] of Object.entries(entries)) {
      const text = JSON.stringify(value);
      if ((contents.get(name) ?? text) !== text) disputed.add(name);
      contents.set(name, text);
    }
  return disputed;
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
