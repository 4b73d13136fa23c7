import { copyFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MergePlan } from '../engine/plan-types';
import { guarded } from '../tensors/writer';
import type { MergeOutputs } from './outputs';

const weights = /\.(safetensors|bin|pt|pth|ckpt|gguf|index\.json)$/;
/** Larger files are data, not configuration. */
const largest = 64 << 20;

/** Copies configuration and tokenizer files of the base (or the first expert) beside written weights. */
export function copyCompanions(plan: MergePlan, outputs: MergeOutputs): void {
  const from = sourceFolder(plan);
  if (from === undefined) return;
  const folders = new Set(
    outputs.plans.filter(({ files }) => files.some(isModel)).map(({ folder }) => folder),
  );
  for (const name of readdirSync(from)) {
    const source = join(from, name);
    if (!isCompanion(source, name)) continue;
    for (const folder of folders)
      guarded(join(folder, name), () => {
        copyFileSync(source, join(folder, name));
      });
  }
}

function sourceFolder(plan: MergePlan): string | undefined {
  const sources = plan.jobs.flatMap(({ base, experts }) => [base, ...experts]);
  const stored = sources.map((source) => source?.stored).find(Boolean);
  return stored ? dirname(stored.file) : undefined;
}

function isCompanion(path: string, name: string): boolean {
  const stats = statSync(path);
  return stats.isFile() && !weights.test(name) && stats.size <= largest;
}

function isModel({ path }: { readonly path: string }): boolean {
  return /[\\/]model[^\\/]*\.safetensors$/.test(path);
}
