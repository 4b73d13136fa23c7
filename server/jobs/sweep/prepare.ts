import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MergeInputs } from '../../engine/inputs';
import { MergeError, throwIfCancelled } from '../../protocol/merge-error';
import type { Problem } from '../../protocol/problem';
import { expandSweep, type SweepPoint } from '../../recipe/sweep';
import { writeFileAtomic, writeJsonAtomic } from '../../runs/files';
import { folderName } from '../../runs/names';
import {
  checkRecipeFile,
  checkRecipeText,
  outputFolder,
  type CheckedRecipe,
} from '../check-recipe';
import { checkEvaluation } from '../evaluation-check';
import { createInputCache } from '../inputs';
import { pointsFile, sweepFile, SweepStore } from './store';
import type { PointRecord, SweepRecord } from './types';

/** Part of every id: another number when the same recipe would give another result. */
const schemaVersion = 1;
const sweepRecipeFile = 'recipe.mergevla.yaml';

export interface SweepRequest {
  readonly recipePath: string;
  /** The sweep's folder; without it one under `output.directory`, named by what the sweep computes. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type PreparedSweep =
  | { readonly kind: 'refused'; readonly checked: CheckedRecipe; readonly point?: SweepPoint }
  | {
      readonly kind: 'ready';
      readonly store: SweepStore;
      readonly checked: CheckedRecipe;
      readonly problems: readonly Problem[];
    };

/**
 * Checks a recipe and every point of its sweep, and writes the sweep's folder unless it is there with
 * the same points. Throws MV545 when the folder holds another sweep.
 */
export async function prepareSweep(request: SweepRequest): Promise<PreparedSweep> {
  const { recipePath, signal, out } = request;
  const path = resolve(recipePath);
  const checked = await checkRecipeFile(path, { signal, out });
  if (!checked.inputs || checked.problems.some(({ severity }) => severity === 'error'))
    return { kind: 'refused', checked };
  const cache = createInputCache();
  const points: PointRecord[] = [];
  for (const point of expandSweep(checked.document)) {
    throwIfCancelled(signal);
    const bytes = new TextEncoder().encode(point.text);
    const own = await checkRecipeText(bytes, path, { signal, cache, out });
    if (!own.plan || !own.inputs) return { kind: 'refused', checked: own, point };
    if (own.recipe.evaluate) await checkEvaluation(own, { signal });
    const { index, label, values, text } = point;
    const id = idOf(text, own.inputs);
    points.push({ id, index, kind: 'merge', label, values, recipe: text });
  }
  const { recipe } = checked;
  const name = `${folderName(recipe.name)}-sweep-${hashOf(points)}`;
  const place = out ?? join(outputFolder(recipe, path), name);
  const store = writeSweep(resolve(place), {
    name: recipe.name,
    path,
    bytes: checked.bytes,
    points,
  });
  return { kind: 'ready', store, checked, problems: checked.problems };
}

interface NewSweep {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly points: readonly PointRecord[];
}

function writeSweep(folder: string, { name, path, bytes, points }: NewSweep): SweepStore {
  if (existsSync(join(folder, sweepFile))) {
    const found = SweepStore.open(folder);
    if (sameIds(found.points, points)) return found;
    throw new MergeError(
      'MV545',
      `${folder} holds another sweep; its recipe or its inputs have changed since, so choose another --out`,
      { fault: 'usage' },
    );
  }
  refuseTaken(folder);
  mkdirSync(folder, { recursive: true });
  const lines = points.map((point) => `${JSON.stringify(point)}\n`).join('');
  writeFileAtomic(join(folder, sweepRecipeFile), bytes);
  writeFileAtomic(join(folder, pointsFile), lines);
  const created = new Date().toISOString();
  const record: SweepRecord = {
    version: 1,
    name,
    recipePath: path,
    points: points.length,
    created,
  };
  // The last file: a folder without it is not a sweep yet and is written again.
  writeJsonAtomic(join(folder, sweepFile), record);
  return SweepStore.open(folder);
}

/** What an interrupted start left is written again; whatever else is there stays as it is. */
function refuseTaken(folder: string): void {
  const isOwn = (name: string): boolean =>
    [sweepRecipeFile, pointsFile, sweepFile].some((own) => name.startsWith(own));
  if (!existsSync(folder)) return;
  if (statSync(folder).isDirectory() && readdirSync(folder).every(isOwn)) return;
  throw new MergeError('MV530', `${folder} exists and is no sweep, so nothing is written there`);
}

function sameIds(a: readonly PointRecord[], b: readonly PointRecord[]): boolean {
  return a.length === b.length && a.every(({ id }, i) => id === b[i]?.id);
}

/** Of the point's recipe and of its inputs' headers, sizes and times. */
function idOf(text: string, { base, experts }: MergeInputs): string {
  const sources = [base, ...experts.flatMap(({ checkpoint, adapter }) => [checkpoint, adapter])];
  const files = sources.flatMap(
    (source) =>
      source?.files.map(({ path, size, mtimeMs, headerHash }) => [
        path,
        size,
        mtimeMs,
        headerHash,
      ]) ?? [],
  );
  return hashOf({ kind: 'merge', schemaVersion, text, files }, 16);
}

function hashOf(value: unknown, digits = 8): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, digits);
}

/** The recipe that a sweep was made from, byte for byte. */
export function sweepRecipe(store: SweepStore): Uint8Array {
  return readFileSync(join(store.folder, sweepRecipeFile));
}
