import { dirname, join, resolve } from 'node:path';
import { loadRemotePolicy } from '../policy/remote-policy';
import type { Recipe } from '../recipe/schema';
import { writeJsonAtomic } from '../runs/files';
import type { Manifest } from '../runs/manifest';
import { expectFrames } from './frame-files';
import { readFrame } from './frames';

/** The frames that `router.offset: stored` takes its means from; absolute, empty without that option. */
export function calibrationFrames({ router }: Recipe, recipePath: string): readonly string[] {
  if (router === 'none' || router.offset !== 'stored') return [];
  return router.calibration.map((path) => resolve(dirname(recipePath), path));
}

/** Said before hours of merging, not after. Throws MV578. */
export async function checkCalibration(recipe: Recipe, recipePath: string): Promise<void> {
  await expectFrames(calibrationFrames(recipe, recipePath));
}

export interface OffsetsJob {
  readonly run: string;
  readonly manifest: Manifest;
  /** References as `readFrame` takes them. */
  readonly frames: readonly string[];
  readonly device: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the merged policy of every task on the frames and puts each task's mean score, in both pairings,
 * into `merged/manifest.json`: whoever loads the run divides by them. Outside the paper's formula.
 */
export async function storeOffsets(job: OffsetsJob): Promise<Manifest> {
  const { run, manifest, frames, device, signal } = job;
  if (!manifest.router || frames.length === 0) return manifest;
  const policy = await loadRemotePolicy(run, { device, ...(signal && { signal }) });
  try {
    const size = policy.config.imageSize;
    const seen = await Promise.all(frames.map((frame) => readFrame(frame, size)));
    const { same, crossed } = await policy.meanScores(seen);
    const offsets = { frames: frames.length, same, crossed };
    const stored = { ...manifest, router: { ...manifest.router, offsets } };
    writeJsonAtomic(join(run, 'merged', 'manifest.json'), stored);
    return stored;
  } finally {
    await policy.close();
  }
}
