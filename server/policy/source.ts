import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isRecord } from '../protocol/shape';
import { readMergedDirectory } from '../runs/merged';
import { openCheckpoint } from '../tensors/checkpoint';
import { badConfig, badStatistics, noPolicy } from './errors';
import { readJsonFile, type PolicyParts } from './parts';
import { checkRun } from './source-checks';
import { baseMissing, mergedParts } from './source-merged';
import { weightsFolder, weightsParts } from './source-weights';
import { parseStatistics, type StatisticsFile } from './statistics';

export interface SourceOptions {
  readonly base?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Task name of a single expert (default: the directory's name), or the one to load of several. */
  readonly task?: string | undefined;
}

/**
 * Reads a policy's headers and small files from a run directory, its `merged/` folder, a released
 * merged directory, or a plain checkpoint directory. Throws `MergeError` naming what is missing.
 */
export async function openPolicyParts(path: string, options: SourceOptions): Promise<PolicyParts> {
  const given = resolve(path);
  const open = options.signal ? { signal: options.signal } : {};
  const folder = [join(given, 'merged'), given].find(isMerged);
  if (folder !== undefined) {
    const merged = await readMergedDirectory(folder, open);
    const basePath = options.base ?? merged.base ?? recordedBase(folder);
    if (basePath === undefined) throw baseMissing(folder);
    const base = await openCheckpoint(resolve(dirname(folder), basePath), open);
    await checkRun(merged, base);
    const config = readJsonFile(join(merged.companionFolder, 'config.json')) ?? base.config;
    return mergedParts(merged, base, statisticsIn(merged.companionFolder), config);
  }
  const plain = weightsFolder(join(given, 'merged'), options) ?? weightsFolder(given, options);
  if (plain === undefined) throw noPolicy(given, describeFolder(given));
  return weightsParts(await openCheckpoint(plain, open), statisticsIn(plain), options);
}

function isMerged(folder: string): boolean {
  return ['tall_masks.pt', 'task_vector.safetensors', 'task_vector.safetensors.index.json'].some(
    (name) => existsSync(join(folder, name)),
  );
}

/** The base that our own runs name beside the released layout, which itself does not say. */
function recordedBase(folder: string): string | undefined {
  const manifest = readJsonFile(join(folder, 'manifest.json'));
  const resolved = readJsonFile(join(dirname(folder), 'recipe.resolved.json'));
  const recipe = isRecord(resolved) ? resolved['recipe'] : undefined;
  for (const place of [manifest, recipe]) {
    const base = isRecord(place) ? place['base'] : undefined;
    const path = isRecord(base) ? base['path'] : base;
    if (typeof path === 'string') return path;
  }
  return undefined;
}

function statisticsIn(folder: string): StatisticsFile {
  const path = join(folder, 'dataset_statistics.json');
  let json: unknown;
  try {
    json = readJsonFile(path);
  } catch {
    throw badConfig(path, 'is not valid JSON');
  }
  if (json === undefined)
    throw badStatistics(`${path} is missing; without it actions cannot be brought to robot units`);
  return parseStatistics(json, path);
}

function describeFolder(folder: string): string {
  if (!existsSync(folder)) return 'does not exist';
  return 'holds no policy: neither a merged task vector nor a checkpoint with a config.json is there';
}
