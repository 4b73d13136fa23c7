import { join } from 'node:path';
import { expect } from 'vitest';
import { roundToBf16 } from '../../server/engine/native';
import type { MergeReport } from '../../server/protocol/report';
import { bitAt, golden, readTensors, type StoredTensor } from './driver';
import { expectedFile, fileOf, goldenReport, type GoldenCase } from './golden-cases';

/** What a merge left, wherever it was run. */
export interface GoldenResult {
  readonly form: string;
  readonly tasks: readonly string[];
  readonly report: Pick<MergeReport, 'tensors'>;
  /** Tensors of `merged/<file>` by name. */
  readonly tensors: (file: string) => ReadonlyMap<string, StoredTensor>;
}

/** Holds a result against everything that the peer left of the case. */
export function checkGolden(item: GoldenCase, merged: GoldenResult): void {
  if (item.method === 'metrics') checkFigures(item, merged);
  if (fileOf(item.expected)) checkExpected(item, merged);
  if (fileOf(item.masks)) checkMasks(item, merged);
}

function checkExpected(item: GoldenCase, merged: GoldenResult): void {
  const ambiguous = fileOf(item.ambiguous);
  const unsure = ambiguous ? readTensors(ambiguous) : new Map<string, StoredTensor>();
  let equal = 0;
  let compared = 0;
  let seen = 0;
  for (const [key, expected] of readTensors(expectedFile(item))) {
    // One mask bit at its threshold moves a whole element: vector and masks are compared, not models.
    if (isMaskedSpectral(item) && key.startsWith('model.')) continue;
    const found = lookUp(item, merged, key);
    expect(found, `${key} is missing`).toBeDefined();
    seen++;
    const bits = unsure.get(key)?.bytes;
    const skip = (i: number): boolean => bits !== undefined && bitAt(bits, i) === 1;
    if (item.tolerance.rule === 'relative_frobenius') {
      const bound = item.tolerance.per_tensor ?? 0;
      expect(relativeDistance(found!, expected.values), key).toBeLessThanOrEqual(bound);
      continue;
    }
    const result = compare(item, found!, expected, skip);
    expect(result.fault, `${key}: ${result.fault}`).toBe('');
    equal += result.equal;
    compared += result.compared;
  }
  expect(seen).toBeGreaterThan(0);
  if (item.tolerance.rule === 'ulp')
    expect(equal / compared).toBeGreaterThanOrEqual(item.tolerance.min_equal_fraction ?? 1);
}

function isMaskedSpectral({ method, tolerance }: GoldenCase): boolean {
  return tolerance.rule === 'relative_frobenius' && method.endsWith('+tall_mask');
}

/** ‖found − expected‖ / ‖expected‖. */
function relativeDistance(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  let difference = 0;
  let size = 0;
  expected.forEach((value, i) => {
    difference += (found[i] - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(difference / size);
}

/** Our value of an expected tensor; models of tasks are rebuilt from base, mask and merged vector. */
function lookUp(item: GoldenCase, merged: GoldenResult, key: string): Float32Array | undefined {
  if (merged.form === 'weights') return merged.tensors('model.safetensors').get(key)?.values;
  if (item.method === 'weighted_average')
    return merged.tensors('rest.safetensors').get(key)?.values;
  const vectors = merged.tensors('task_vector.safetensors');
  if (item.peer === 'iso-merging') return vectors.get(key)?.values;
  if (key.startsWith('merged_task_vector/'))
    return vectors.get(key.replace('merged_task_vector/', ''))?.values;
  const model = /^model\.([^/]+)\/(.*)$/.exec(key);
  const name = model?.[2] ?? key;
  const vector = vectors.get(name)?.values;
  const base = baseTensors(item).get(name)?.values;
  const task = model?.[1] ?? merged.tasks[0];
  const bits = merged.tensors('masks.safetensors').get(`${task}/${name}`)?.bytes;
  if (!vector || !base || !bits) return undefined;
  const factor =
    item.method === 'emr'
      ? merged.tensors('rest.safetensors').get(`${task}/rescaler`)!.values[0]
      : (item.params.scaling ?? 1);
  const rebuilt = base.map((b, i) => b + (bitAt(bits, i) ? factor * vector[i] : 0));
  if (item.id.endsWith('-native')) roundToBf16(rebuilt, rebuilt.length);
  return rebuilt;
}

const bases = new Map<string, Map<string, StoredTensor>>();

/** Of all shards. */
export function baseTensors(item: GoldenCase): Map<string, StoredTensor> {
  const path = join(golden, item.base ?? '');
  let tensors = bases.get(path);
  if (!tensors) {
    const files = [
      'model.safetensors',
      ...[1, 2, 3].map((i) => shard(i, 3)),
      ...[1, 2].map((i) => shard(i, 2)),
    ];
    tensors = new Map(
      files.flatMap((file) => {
        const found = fileOf(join(item.base ?? '', file));
        return found ? [...readTensors(found)] : [];
      }),
    );
    bases.set(path, tensors);
  }
  return tensors;
}

function shard(index: number, count: number): string {
  return `model-0000${index}-of-0000${count}.safetensors`;
}

function compare(
  { tolerance }: GoldenCase,
  found: Float32Array,
  expected: StoredTensor,
  skip: (i: number) => boolean,
): { fault: string; equal: number; compared: number } {
  const { values } = expected;
  if (found.length !== values.length) return { fault: 'length', equal: 0, compared: 0 };
  let equal = 0;
  let compared = 0;
  const ulp = steps(expected.dtype);
  for (let i = 0; i < values.length; i++) {
    if (skip(i)) continue;
    compared++;
    if (found[i] === values[i]) {
      equal++;
      continue;
    }
    const away = Math.abs(found[i] - values[i]);
    const bound =
      tolerance.rule === 'ulp'
        ? (tolerance.max_ulp ?? 1)
        : (tolerance.max_abs ?? 0) + (tolerance.rel ?? 0) * Math.abs(values[i]);
    const size = tolerance.rule === 'ulp' ? Math.abs(ulp(found[i]) - ulp(values[i])) : away;
    if (!(size <= bound)) {
      const text = `element ${i}: ${found[i]}, expected ${values[i]}`;
      return { fault: text, equal, compared };
    }
  }
  return { fault: '', equal, compared };
}

/** A number's place among the numbers of its dtype. */
function steps(dtype: string): (value: number) => number {
  return (value) => {
    if (dtype === 'F16') {
      const size = Math.abs(value);
      const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -24)));
      const place = size / 2 ** (exponent - 10) + (exponent + 14) * 1024;
      return Math.sign(value) * place;
    }
    const bits = new Int32Array(Float32Array.of(value).buffer)[0];
    const place = (bits & 0x7fffffff) / (dtype === 'BF16' ? 65536 : 1);
    return bits < 0 ? -place : place;
  };
}

function checkMasks(item: GoldenCase, merged: GoldenResult): void {
  const expected = readTensors(fileOf(item.masks)!);
  const found = merged.tensors('masks.safetensors');
  let agreeing = 0;
  let total = 0;
  const shapes = merged.tensors('task_vector.safetensors');
  for (const [key, { bytes }] of expected) {
    const [task, name] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];
    const own = found.get(task === 'consensus' ? `${merged.tasks[0]}/${name}` : key);
    expect(own, `mask ${key} is missing`).toBeDefined();
    const n = shapes.get(name)!.values.length;
    for (let i = 0; i < n; i++) agreeing += Number(bitAt(bytes, i) === bitAt(own!.bytes, i));
    total += n;
  }
  expect(agreeing / total).toBeGreaterThanOrEqual(item.tolerance.mask_agreement ?? 1);
}

/** What the float64 definitions give. */
function checkFigures(item: GoldenCase, { report, tasks }: GoldenResult): void {
  const expected: Record<
    string,
    { l2: number[]; base_l2: number; of: number; sign_conflicts: number; cosine: number[][] }
  > = goldenReport(item);
  const close = (a: number, b: number): void => {
    expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-6 * Math.max(Math.abs(b), 1e-3));
  };
  let checked = 0;
  for (const tensor of report.tensors) {
    const figures = expected[tensor.name];
    if (!figures || !('base' in tensor.norm)) continue;
    checked++;
    expect(tensor.elements).toBe(figures.of);
    close(tensor.norm.base, figures.base_l2);
    tasks.forEach((task, a) => {
      close(tensor.norm[task], figures.l2[a]);
      tasks.slice(a + 1).forEach((other, b) => {
        close(tensor.cosine[`${task}|${other}`], figures.cosine[a][a + 1 + b]);
      });
    });
  }
  expect(checked).toBeGreaterThan(20);
}
