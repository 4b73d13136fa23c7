import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import type { TensorSpectrum } from '../protocol/spectrum';
import { isTensorSpectrum } from '../protocol/spectrum';
import { fileKey } from './sketch/store';

/** Raised when what is measured changes, so that old figures are not taken for new ones. */
const version = 1;
/** Least recently written files are removed above this. */
const mostFiles = 64;
const suffix = '.spectra';

/** Measured spectra of the matrices of one set of checkpoints; null where no expert changed a matrix. */
export interface SpectrumStore {
  read(job: TensorJob): TensorSpectrum | null | undefined;
  write(job: TensorJob, tensor: TensorSpectrum | null): void;
}

/**
 * One file for base, experts and `k`, keyed by the headers, sizes and times of all checkpoint files; a
 * line for each matrix, added as soon as it is measured, so that a stopped measurement goes on.
 * A store that cannot be read or written is only slower: nothing fails for it.
 */
export async function openSpectrumStore(
  folder: string,
  plan: MergePlan,
  k: number,
): Promise<SpectrumStore> {
  const { tasks, precision, files } = plan;
  const path = join(folder, `${hash([version, tasks, k, precision, files.map(fileKey)])}${suffix}`);
  const known = parseLines(await readFile(path, 'utf8').catch(() => ''));
  await mkdir(folder, { recursive: true }).catch(() => undefined);
  await trim(folder).catch(() => undefined);
  return {
    read: (job) => known.get(idOf(job)),
    write(job, tensor) {
      try {
        // A line torn by a kill is ended by the next one's own line break.
        appendFileSync(path, `\n${JSON.stringify([idOf(job), tensor])}\n`);
      } catch {
        // The figures are there; only the next measurement is slower.
      }
    },
  };
}

function parseLines(text: string): ReadonlyMap<string, TensorSpectrum | null> {
  const known = new Map<string, TensorSpectrum | null>();
  for (const line of text.split('\n')) {
    const entry = parseLine(line);
    if (entry) known.set(...entry);
  }
  return known;
}

function parseLine(line: string): readonly [string, TensorSpectrum | null] | undefined {
  if (line === '') return undefined;
  try {
    const [id, tensor] = JSON.parse(line) as readonly unknown[];
    const fits = typeof id === 'string' && (tensor === null || isTensorSpectrum(tensor));
    return fits ? [id, tensor] : undefined;
  } catch {
    return undefined;
  }
}

/** Where a matrix is read, adapters' factors included: what else decides its task vectors. */
function idOf({ name, place, shape, base, experts }: TensorJob): string {
  return hash([name, place, shape, base, experts]);
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 40);
}

async function trim(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const entries = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), ...(await stat(join(folder, name))) })),
  );
  entries.sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const { path } of entries.slice(mostFiles)) await rm(path, { force: true });
}
