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
  const job = plan.jobs.find(({ base, experts }) => base?.stored ?? experts[0]?.stored);
  const file = job?.base?.stored?.file ?? job?.experts[0]?.stored?.file;
  if (file === undefined) return;
  const from = dirname(file);
  const folders = new Set(
    outputs.plans.filter(({ files }) => files.some(isModel)).map(({ folder }) => folder),
  );
  for (const name of readdirSync(from)) {
    const source = join(from, name);
    const stats = statSync(source);
    if (!stats.isFile() || weights.test(name) || stats.size > largest) continue;
    for (const folder of folders)
      guarded(join(folder, name), () => {
        copyFileSync(source, join(folder, name));
      });
  }
}

function isModel({ path }: { readonly path: string }): boolean {
  return /[\\/]model[^\\/]*\.safetensors$/.test(path);
}
