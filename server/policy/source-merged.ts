import type { MergeError } from '../protocol/merge-error';
import type { MergedCheckpoint, StoredMask } from '../runs/merged';
import { TensorReader } from '../tensors/reader';
import type { Checkpoint, TensorInfo } from '../tensors/types';
import { mismatchedParts } from './errors';
import {
  folderParts,
  queriesName,
  queriesOf,
  readWhole,
  splitParts,
  type PolicyParts,
  type TaskParts,
} from './parts';
import type { StatisticsFile } from './statistics';

/**
 * A masked merge, in compact form or as released, over its base: weights are base + vector ⊙ mask,
 * with what is shared or per task laid over (reference: MergeVLA §3.3, §4.4).
 */
export function mergedParts(
  merged: MergedCheckpoint,
  base: Checkpoint,
  statistics: StatisticsFile,
  config: unknown,
): PolicyParts {
  const files = [...base.files, ...merged.files];
  const reader = new TensorReader(files);
  const shared = splitParts(merged.shared);
  const model = new Map([...splitParts(base.tensors).model, ...shared.model]);
  const masked = new Set(merged.masks?.[0]?.keys());
  const vector = vectorOf(merged, model, masked);
  checkMasks(merged, vector);
  const tasks = new Map<string, TaskParts>();
  merged.tasks.forEach((task, index) => {
    const own = splitParts(merged.own[index] ?? []);
    const masks = merged.masks?.[index];
    const basis = merged.router?.bases[index];
    const scale = merged.rescalers?.[index];
    tasks.set(task, {
      head: new Map([...shared.head, ...own.head]),
      queries: own.model.get(queriesName) ?? queriesOf(model, merged.folder),
      ...(masks ? { readMask: maskReader(reader, masks, `${merged.folder}, task ${task}`) } : {}),
      ...(scale ? { scale: readWhole(reader, scale)[0] ?? 1 } : {}),
      ...(basis ? { basis } : {}),
    });
  });
  return {
    ...folderParts(merged.companionFolder),
    where: merged.folder,
    config,
    files,
    model,
    vector,
    masked,
    tasks,
    statistics,
    ...(merged.router ? { router: merged.router } : {}),
  };
}

/**
 * The released file holds zeros for every tensor that was not merged; where there are masks these are
 * the tensors without one, and reading them would only cost time.
 */
function vectorOf(
  merged: MergedCheckpoint,
  model: ReadonlyMap<string, TensorInfo>,
  masked: ReadonlySet<string>,
): ReadonlyMap<string, TensorInfo> {
  const vector = new Map<string, TensorInfo>();
  for (const [name, info] of merged.taskVector) {
    if (merged.form === 'mergevla' && !masked.has(name)) continue;
    const own = model.get(name);
    if (!own || String(own.shape) !== String(info.shape))
      throw mismatchedParts(
        `${name} of ${merged.folder} has no counterpart of shape [${info.shape.join(', ')}] in the base; it was merged on another base`,
      );
    vector.set(name, info);
  }
  return vector;
}

function checkMasks(merged: MergedCheckpoint, vector: ReadonlyMap<string, TensorInfo>): void {
  merged.masks?.forEach((masks, index) => {
    for (const [name, { info, packed }] of masks) {
      const elements = vector.get(name)?.elements;
      const expected = packed && elements !== undefined ? Math.ceil(elements / 8) : elements;
      if (info.elements !== expected)
        throw mismatchedParts(
          `the mask of ${name} for task ${merged.tasks[index] ?? ''} in ${merged.folder} does not fit the merged vector; masks and vector are from different merges`,
        );
    }
  });
}

/** Reads a mask as bits: as stored where it is packed, else from one byte an element. */
function maskReader(
  reader: TensorReader,
  masks: ReadonlyMap<string, StoredMask>,
  where: string,
): (name: string, target: Uint8Array) => void {
  return (name, target) => {
    const mask = masks.get(name);
    if (!mask) throw mismatchedParts(`${where}: there is no mask for ${name}`);
    const { info, packed } = mask;
    if (packed) {
      reader.readBytes(info, 0, target);
      return;
    }
    const piece = new Uint8Array(Math.min(info.elements, 1 << 20));
    for (let start = 0; start < info.elements; start += piece.length) {
      const flags = piece.subarray(0, Math.min(piece.length, info.elements - start));
      reader.readBytes(info, start, flags);
      packBits(flags, target, start);
    }
  };
}

/** Booleans to bits, least significant first; `start` is a multiple of 8. */
export function packBits(flags: Uint8Array, target: Uint8Array, start: number): void {
  for (let i = 0; i < flags.length; i += 8) {
    let byte = 0;
    for (let k = 0; k < 8 && i + k < flags.length; k++) if (flags[i + k]) byte |= 1 << k;
    target[(start + i) >> 3] = byte;
  }
}

export function baseMissing(folder: string): MergeError {
  return mismatchedParts(
    `${folder} holds a merged task vector and does not say of which base; name the base's directory with --base`,
  );
}
