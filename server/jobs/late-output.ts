import { closeSync, openSync } from 'node:fs';
import type { MergePlan } from '../engine/plan-types';
import { guarded, planOutput, TensorWriter, writeAll } from '../tensors/writer';
import { maskMetadata, type MergeOutputs } from './outputs';

/** Writes the popcounts into the masks' header, which was laid out with room for them. */
export function writeMaskHeader(
  plan: MergePlan,
  outputs: MergeOutputs,
  active: readonly (readonly number[] | null)[],
): void {
  if (!outputs.masks) return;
  const changed = active.map((counts) => counts !== null);
  const metadata = maskMetadata(plan, changed, active);
  const { specs, folder } = outputs.masks;
  for (const { path, header } of planOutput(specs, { folder, stem: 'masks', metadata }).files)
    guarded(path, () => {
      const descriptor = openSync(`${path}.partial`, 'r+');
      try {
        writeAll(descriptor, header, 0);
      } finally {
        closeSync(descriptor);
      }
    });
}

/** EMR's factor of each task, a float32 scalar `<task>/rescaler`. */
export function writeRescalers(
  plan: MergePlan,
  outputs: MergeOutputs,
  rescalers: readonly number[],
): void {
  const writer = new TensorWriter();
  plan.tasks.forEach((task, m) => {
    const slot = outputs.plans.map(({ slots }) => slots.get(`${task}/rescaler`)).find(Boolean);
    const value = Float32Array.of(rescalers[m] ?? 1);
    if (slot) writer.write(slot, 0, new Uint8Array(value.buffer));
  });
  writer.close();
}
