import { readSafetensorsHeader } from '../../tensors/safetensors';
import { TensorReader } from '../../tensors/reader';
import type { CheckpointFile, TensorInfo } from '../../tensors/types';
import type { ActorInput } from './rollout';

/** A file that `collectDemonstrations` wrote, by its header. */
export interface DemonstrationFile {
  readonly file: CheckpointFile;
  readonly instruction: string;
  /** U8 [n, cameras, size, size, 3] */
  readonly images: TensorInfo;
  /** F32 [n, joints] */
  readonly proprio: TensorInfo;
  /** I32 [n]: the number of the episode that a frame is of. */
  readonly episode: TensorInfo;
}

/** Undefined for a safetensors file that holds something else. Reads the header only. */
export async function openDemonstrations(path: string): Promise<DemonstrationFile | undefined> {
  const { tensors, metadata, size, mtimeMs, headerHash } = await readSafetensorsHeader(path);
  const find = (name: string, dtype: string, rank: number): TensorInfo | undefined =>
    tensors.find((t) => t.name === name && t.dtype === dtype && t.shape.length === rank);
  const [images, proprio] = [find('images', 'U8', 5), find('proprio', 'F32', 2)];
  const episode = find('episode', 'I32', 1);
  const { instruction } = metadata;
  if (!images || !proprio || !episode || instruction === undefined) return undefined;
  const [count = 0, , height, width, colours] = images.shape;
  const fits = proprio.shape[0] === count && episode.shape[0] === count && height === width;
  if (!fits || colours !== 3) return undefined;
  return { file: { path, size, mtimeMs, headerHash }, instruction, images, proprio, episode };
}

/** Frame `index` as a policy is asked with it; undefined where the file has fewer. */
export function demonstrationFrame(
  { file, instruction, images, proprio }: DemonstrationFile,
  index: number,
): ActorInput | undefined {
  const [count = 0, cameras = 0, size = 0] = images.shape;
  const joints = proprio.shape[1] ?? 0;
  if (index >= count) return undefined;
  const reader = new TensorReader([file]);
  try {
    const bytes = size * size * 3;
    const pictures = Array.from({ length: cameras }, (_, camera) => {
      const data = new Uint8Array(bytes);
      reader.readBytes(images, (index * cameras + camera) * bytes, data);
      return { width: size, height: size, data };
    });
    const state = new Float32Array(joints);
    reader.readFloat32(proprio, index * joints, state);
    return { images: pictures, instruction, proprio: Float64Array.from(state) };
  } finally {
    reader.close();
  }
}

/** The first frame of every episode, in the order of the file. */
export function firstFrames({ file, episode }: DemonstrationFile): readonly number[] {
  const numbers = new Uint8Array(episode.elements * 4);
  const reader = new TensorReader([file]);
  try {
    reader.readBytes(episode, 0, numbers);
  } finally {
    reader.close();
  }
  const view = new DataView(numbers.buffer);
  const at = (frame: number): number => view.getInt32(4 * frame, true);
  return Array.from({ length: episode.elements }, (_, frame) => frame).filter(
    (frame) => frame === 0 || at(frame) !== at(frame - 1),
  );
}
