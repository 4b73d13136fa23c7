import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MergeInputs } from '../engine/inputs';
import type { StatisticsSource } from '../runs/companions';
import type { Checkpoint } from '../tensors/types';

/** Where the experts' `dataset_statistics.json` would be. */
export function statisticsSources({ experts }: MergeInputs): readonly Required<StatisticsSource>[] {
  return experts.flatMap(({ task, checkpoint }) =>
    checkpoint ? [{ task, folder: folderOf(checkpoint) }] : [],
  );
}

/** A checkpoint may be named by one of its files. */
export function folderOf({ path }: Checkpoint): string {
  return statSync(path).isDirectory() ? path : dirname(path);
}
