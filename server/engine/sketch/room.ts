import type { Columns, Stages } from '../stages';
import { clusterElements } from './positions';
import type { Sketch } from './sketch';

/**
 * Memory that stages work in, and the stages. The compiled kernels see arrays of their own memory
 * only, so everything that a sketch is evaluated with is taken from one place.
 */
export interface Memory {
  readonly stages: Stages;
  floats(length: number): Float32Array;
  doubles(length: number): Float64Array;
  words(length: number): Uint32Array;
  bytes(length: number): Uint8Array;
}

/** Working arrays that the tensors of a sketch share, one tensor at a time. */
export interface Room {
  readonly stages: Stages;
  /** As many columns as tasks, of the longest tensor. */
  readonly scratch: Float32Array;
  /** The same, for methods on whole weights. */
  readonly weights: Float32Array;
  /** One column of the longest tensor. */
  readonly scaled: Float32Array;
  readonly divisors: Float32Array;
  readonly masks: Uint8Array;
  /** The masks as words, and from each cluster of the first column on. */
  readonly maskWords: Uint32Array;
  readonly clusterMasks: readonly Uint8Array[];
  readonly histogram: Uint32Array;
  readonly signs: Float64Array;
  readonly distance: Float64Array;
  readonly counts: ClusterCounts;
}

/** Positions of each cluster of one tensor: all, by task, by number of tasks, and those of any task. */
export interface ClusterCounts {
  readonly all: Float64Array;
  readonly active: readonly Float64Array[];
  readonly coverage: readonly Float64Array[];
  readonly retained: Float64Array;
}

const bytesEach = 64;

/** Bytes that `openRoom` and the columns of a sketch take, alignment included. */
export function roomBytes(sketch: Sketch): number {
  const tasks = sketch.tasks.length;
  const columns = sketch.tensors.reduce((sum, { columns: { stride } }) => sum + stride, 0);
  const longest = longestColumn(sketch);
  const numbers = columns * (tasks + 2) + longest * (2 * tasks + 1);
  const arrays = 3 * sketch.tensors.length + 16;
  return 4 * numbers + tasks * longest + arrays * bytesEach + 4096;
}

/** Takes the shared arrays for a sketch of this size. */
export function openRoom(memory: Memory, sketch: Sketch): Room {
  const tasks = sketch.tasks.length;
  const longest = longestColumn(sketch);
  const clusters = longest / clusterElements;
  const masks = memory.bytes((tasks * longest) / 8);
  const counts = (lists: number) => Array.from({ length: lists }, () => new Float64Array(clusters));
  return {
    stages: memory.stages,
    scratch: memory.floats(tasks * longest),
    weights: memory.floats(tasks * longest),
    scaled: memory.floats(longest),
    divisors: memory.floats(tasks),
    masks,
    maskWords: new Uint32Array(masks.buffer, masks.byteOffset, masks.length / 4),
    clusterMasks: Array.from({ length: clusters }, (_, c) =>
      masks.subarray((c * clusterElements) / 8),
    ),
    histogram: memory.words(tasks + 1),
    signs: memory.doubles(2),
    distance: memory.doubles(1),
    counts: {
      all: new Float64Array(clusters),
      active: counts(tasks),
      coverage: counts(tasks + 1),
      retained: new Float64Array(clusters),
    },
  };
}

function longestColumn({ tensors }: Sketch): number {
  return tensors.reduce((most, { columns: { stride } }) => Math.max(most, stride), clusterElements);
}

/** The first columns of a shared array, as one tensor's. */
export function columnsIn(data: Float32Array, { stride, count }: Columns): Columns {
  return { data: data.subarray(0, stride * count), stride, count };
}

/** A sketch whose arrays are in this memory. */
export function movedTo(memory: Memory, sketch: Sketch): Sketch {
  const tensors = sketch.tensors.map((tensor) => {
    const data = memory.floats(tensor.columns.data.length);
    const base = memory.floats(tensor.base.length);
    data.set(tensor.columns.data);
    base.set(tensor.base);
    return { ...tensor, columns: { ...tensor.columns, data }, base };
  });
  return { ...sketch, tensors };
}
