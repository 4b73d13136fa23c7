import type { Stages } from '../../engine/stages';
import { kernelBytes } from './wasm.generated';

/** What the module exports (assembly/index.ts). Pointers and counts are 32-bit numbers. */
interface Exports {
  widenBf16(source: number, target: number, n: number): void;
  taskVectorBf16(source: number, base: number, target: number, n: number): void;
  narrowBf16(source: number, target: number, n: number): number;
  subtract(a: number, b: number, target: number, n: number): void;
  add(a: number, b: number, target: number, n: number): void;
  scale(a: number, factor: number, target: number, n: number): void;
  sum(columns: number, stride: number, count: number, target: number, n: number): void;
  elect(...values: number[]): void;
  signBalance(...values: number[]): number;
  trim(column: number, target: number, n: number, threshold: number, remaining: number): number;
  tally(...values: number[]): number;
  taskMask(...values: number[]): number;
  coverage(...values: number[]): void;
  applyMask(base: number, merged: number, bits: number, target: number, n: number): void;
  distance(tau: number, merged: number, bits: number, n: number): number;
  sumSquares(a: number, n: number): number;
  dot(a: number, b: number, n: number, signs: number): number;
  gram3(a: number, b: number, c: number, n: number, out: number): void;
}

/** Bytes of an array from one on, without a view made for them. */
export interface RawBytes {
  readonly bytes: Uint8Array;
  readonly from: number;
}

/** Conversions of the fast path: bfloat16 in and out. */
export interface Bf16Stages {
  widen(source: RawBytes, target: Float32Array, n: number): void;
  /** target = widen(source) − base. */
  taskVector(source: RawBytes, base: Float32Array, target: Float32Array, n: number): void;
  /** Half to even, NaN as 0x7fc0; true when a result is not finite. */
  narrow(source: Float32Array, target: RawBytes, n: number): boolean;
}

/** One instance of the kernels with its own memory; arrays handed to stages must come from it. */
export interface Kernels {
  readonly stages: Stages;
  readonly bf16: Bf16Stages;
  floats(length: number): Float32Array;
  doubles(length: number): Float64Array;
  words(length: number): Uint32Array;
  integers(length: number): Int32Array;
  bytes(length: number): Uint8Array;
}

const agreeCode = { sum: 0, mean: 1, max: 2 } as const;
// The module has no static data beyond the first page; arrays start after it.
const firstByte = 65_536;

/** Makes an instance with room for `size` bytes of arrays. */
export function createKernels(size: number): Kernels {
  const pages = Math.ceil((size + firstByte) / 65_536) + 1;
  const memory = new WebAssembly.Memory({ initial: pages });
  const bytes = Buffer.from(kernelBytes, 'base64');
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory, abort: () => undefined },
  });
  let next = firstByte;
  const take = (length: number): number => {
    const at = next;
    next += Math.ceil(length / 64) * 64;
    if (next > pages * 65_536) throw new RangeError(`kernel memory of ${String(size)} is full`);
    return at;
  };
  const calls = instance.exports as unknown as Exports;
  return {
    stages: stagesOf(calls),
    bf16: {
      widen: (source, target, n) => {
        calls.widenBf16(source.bytes.byteOffset + source.from, target.byteOffset, n);
      },
      taskVector: (source, base, target, n) => {
        calls.taskVectorBf16(
          source.bytes.byteOffset + source.from,
          base.byteOffset,
          target.byteOffset,
          n,
        );
      },
      narrow: (source, target, n) =>
        calls.narrowBf16(source.byteOffset, target.bytes.byteOffset + target.from, n) !== 0,
    },
    floats: (length) => new Float32Array(memory.buffer, take(length * 4), length),
    doubles: (length) => new Float64Array(memory.buffer, take(length * 8), length),
    words: (length) => new Uint32Array(memory.buffer, take(length * 4), length),
    integers: (length) => new Int32Array(memory.buffer, take(length * 4), length),
    bytes: (length) => new Uint8Array(memory.buffer, take(length), length),
  };
}

// The first bytes of the memory are nobody's: an address of 0 stands for an array that is not given.
function stagesOf(calls: Exports): Stages {
  return {
    subtract: (a, b, target, n) => {
      calls.subtract(a.byteOffset, b.byteOffset, target.byteOffset, n);
    },
    add: (a, b, target, n) => {
      calls.add(a.byteOffset, b.byteOffset, target.byteOffset, n);
    },
    scale: (a, factor, target, n) => {
      calls.scale(a.byteOffset, factor, target.byteOffset, n);
    },
    sum: ({ data, stride, count }, target, n) => {
      calls.sum(data.byteOffset, stride * 4, count, target.byteOffset, n);
    },
    elect: ({ data, stride, count }, options, target, n) => {
      const { agree, tieNegative, weights, signs } = options;
      calls.elect(
        data.byteOffset,
        stride * 4,
        count,
        weights.byteOffset,
        target.byteOffset,
        n,
        agreeCode[agree],
        Number(tieNegative),
        signs?.byteOffset ?? 0,
      );
    },
    signBalance: ({ data, stride, count }, n, cuts) =>
      calls.signBalance(data.byteOffset, stride * 4, count, n, cuts?.byteOffset ?? 0),
    trim: (column, { threshold, remaining }, target, n) =>
      calls.trim(
        column.byteOffset,
        target.byteOffset,
        n,
        threshold,
        Math.min(remaining, 0xffffffff),
      ) >>> 0,
    tally: (column, { low, high, shift }, histogram, n) =>
      calls.tally(column.byteOffset, n, low, high, shift, histogram.byteOffset) >>> 0,
    ...maskStages(calls),
    sumSquares: (a, n) => calls.sumSquares(a.byteOffset, n),
    gram3: (columns, out, n) => {
      const first = columns.data.byteOffset;
      const step = columns.stride * 4;
      calls.gram3(first, first + step, first + 2 * step, n, out.byteOffset);
    },
    dot: (a, b, signs, n) => calls.dot(a.byteOffset, b.byteOffset, n, signs.byteOffset),
  };
}

function maskStages(
  calls: Exports,
): Pick<Stages, 'taskMask' | 'coverage' | 'applyMask' | 'distance'> {
  return {
    taskMask: ({ taskVector, merged, lambda }, bits, n, distance) =>
      calls.taskMask(
        taskVector.byteOffset,
        merged.byteOffset,
        lambda,
        bits.byteOffset,
        n,
        distance?.byteOffset ?? 0,
      ) >>> 0,
    coverage: ({ bits, stride, count, atLeast }, histogram, n) => {
      calls.coverage(bits.byteOffset, stride, count, n, histogram.byteOffset, atLeast);
    },
    applyMask: ({ base, merged }, bits, target, n) => {
      calls.applyMask(base.byteOffset, merged.byteOffset, bits.byteOffset, target.byteOffset, n);
    },
    distance: ({ taskVector, merged }, bits, n) =>
      calls.distance(taskVector.byteOffset, merged.byteOffset, bits.byteOffset, n),
  };
}
