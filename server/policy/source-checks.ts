import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRecord } from '../protocol/shape';
import { hashOf, sampleHash } from '../runs/header-hash';
import type { MergedCheckpoint } from '../runs/merged';
import { readSafetensorsHeader } from '../tensors/safetensors';
import type { Checkpoint } from '../tensors/types';
import { mismatchedParts } from './errors';
import { readJsonFile } from './parts';

/**
 * Holds the parts of one of our own runs against its records: the base against the hash in the
 * manifest, the masks against the active counts in the report. Parts copied from another run fit in
 * shape and would act wrongly without a word. Throws MV574. Reads headers and a sample of the base.
 */
export async function checkRun(merged: MergedCheckpoint, base: Checkpoint): Promise<void> {
  const manifest = readJsonFile(join(merged.folder, 'manifest.json'));
  const recorded = isRecord(manifest) && isRecord(manifest['base']) ? manifest['base'] : {};
  const { hash, sample } = recorded;
  const isOther = (why: string) =>
    mismatchedParts(`${base.path} is not the base that ${merged.folder} was merged on: ${why}`);
  if (typeof hash === 'string' && hash !== '' && hash !== hashOf(base.files))
    throw isOther('the headers of its files have another hash');
  if (typeof sample === 'string' && sample !== (await sampleHash(base.files)))
    throw isOther('its files have the same tensors with other numbers');
  if (merged.form === 'compact') await checkMaskCounts(merged.folder);
}

async function checkMaskCounts(folder: string): Promise<void> {
  const masks = join(folder, 'masks.safetensors');
  const report = readJsonFile(join(dirname(folder), 'report.json'));
  if (!existsSync(masks) || !isRecord(report) || !Array.isArray(report['tensors'])) return;
  const { metadata } = await readSafetensorsHeader(masks);
  const counts: unknown = JSON.parse(metadata['popcounts'] ?? '{}');
  if (!isRecord(counts)) return;
  for (const { key, active } of report['tensors'].flatMap(activeCounts))
    if (counts[key] !== undefined && counts[key] !== active)
      throw mismatchedParts(
        `${masks} belongs to another merge: the active positions of ${key} are not those in the run's report`,
      );
}

/** Reported counts of one tensor, under the names that its masks have. */
function activeCounts(tensor: unknown): { readonly key: string; readonly active: unknown }[] {
  if (!isRecord(tensor) || !isRecord(tensor['active'])) return [];
  const name = String(tensor['name']);
  return Object.entries(tensor['active']).map(([task, active]) => ({
    key: `${task}/${name}`,
    active,
  }));
}
