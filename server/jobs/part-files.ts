import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../tensors/checkpoint';
import { elementBytes } from '../tensors/dtypes';
import { TensorReader } from '../tensors/reader';
import { writeTorchFile, type TorchTensor } from '../tensors/torch-writer';
import type { TensorInfo } from '../tensors/types';

const pieceElements = 1 << 20;

/** Files beside a model that its loader expects as torch archives. */
export const partStems = ['action_head', 'proprio_projector'] as const;

/**
 * Turns `action_head.safetensors` and `proprio_projector.safetensors` of a merged checkpoint into the
 * torch archives that loaders look for (`action_head--checkpoint.pt`), names without the prefix.
 */
export async function convertParts(folder: string, signal?: AbortSignal): Promise<void> {
  for (const stem of partStems) {
    const path = join(folder, `${stem}.safetensors`);
    if (!existsSync(path)) continue;
    const checkpoint = await openCheckpoint(path);
    const reader = new TensorReader(checkpoint.files);
    try {
      const entries = [...checkpoint.tensors.values()].map(
        (info) => [info.name.slice(stem.length + 1), asTorch(info, reader)] as const,
      );
      const target = join(folder, `${stem}--checkpoint.pt`);
      await writeTorchFile(target, { kind: 'dictionary', entries }, signal ? { signal } : {});
    } finally {
      reader.close();
    }
    rmSync(path);
  }
}

function asTorch(info: TensorInfo, reader: TensorReader): TorchTensor {
  return {
    kind: 'tensor',
    dtype: info.dtype,
    shape: info.shape,
    *chunks() {
      for (let start = 0; start < info.elements; start += pieceElements) {
        const count = Math.min(pieceElements, info.elements - start);
        const bytes = new Uint8Array(count * elementBytes(info.dtype));
        reader.readBytes(info, start, bytes);
        yield bytes;
      }
    },
  };
}
