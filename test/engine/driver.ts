import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from 'vitest';
import { planMerge, type PlanOptions } from '../../server/engine/plan';
import type { MergePlan } from '../../server/engine/plan-types';
import { executeMerge, type ExecuteOptions } from '../../server/jobs/execute';
import { loadInputs } from '../../server/jobs/inputs';
import type { MergeReport } from '../../server/protocol/report';
import { parseRecipe } from '../../server/recipe/parse';
import { resolveRecipe } from '../../server/recipe/resolve';
import { isFloat, widen } from '../../server/tensors/dtypes';
import type { Dtype } from '../../server/tensors/types';

export const golden = resolve(__dirname, '../fixtures/golden');

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that lives as long as the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-engine-'));
  folders.push(folder);
  return folder;
}

/** One hash of everything in a folder. */
export function digest(folder: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      hash.update(entry.name);
      if (entry.isDirectory()) visit(join(path, entry.name));
      else hash.update(readFileSync(join(path, entry.name)));
    }
  };
  visit(folder);
  return hash.digest('hex');
}

export interface Merged {
  readonly folder: string;
  readonly plan: MergePlan;
  readonly report: MergeReport;
  /** Tensors of `merged/<file>` by name. */
  readonly tensors: (file: string) => Map<string, StoredTensor>;
}

export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Widened to float32; integers are not. */
  readonly values: Float32Array;
}

/** Plans a recipe text whose paths are relative to `beside`. */
export async function planText(
  text: string,
  { beside = golden, ...options }: { readonly beside?: string } & PlanOptions = {},
): Promise<MergePlan> {
  const document = parseRecipe(text);
  const errors = document.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  const recipe = resolveRecipe(document.value);
  const { inputs, findings } = await loadInputs(recipe, join(beside, 'recipe.mergevla.yaml'));
  const refused = findings.filter(({ severity }) => severity === 'error');
  if (refused.length > 0) throw new Error(refused.map(({ message }) => message).join('\n'));
  const { value, problems } = planMerge(recipe, inputs, options);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return value;
}

/** Recipe text to results, with everything real in between. */
export async function merge(
  text: string,
  options: Partial<ExecuteOptions> & { readonly beside?: string } & PlanOptions = {},
): Promise<Merged> {
  const plan = await planText(text, options);
  const folder = options.directory ?? temporaryFolder();
  const report = await executeMerge(plan, { threads: 1, ...options, directory: folder });
  return {
    folder,
    plan,
    report,
    tensors: (file) => readTensors(join(folder, 'merged', file)),
  };
}

/** A plain reader for the tests alone, so that they do not lean on the code they test. */
export function readTensors(file: string): Map<string, StoredTensor> {
  const data = readFileSync(file);
  const length = Number(data.readBigUInt64LE(0));
  const header = JSON.parse(data.subarray(8, 8 + length).toString()) as Record<
    string,
    { dtype: Dtype; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [from, to] = data_offsets;
    const bytes = Uint8Array.from(data.subarray(8 + length + from, 8 + length + to));
    const count = shape.reduce((product, n) => product * n, 1);
    const values = new Float32Array(count);
    if (isFloat(dtype)) widen(dtype, bytes, values);
    tensors.set(name, { dtype, shape, bytes, values });
  }
  return tensors;
}

export function readMetadata(file: string): Record<string, string> {
  const data = readFileSync(file);
  const header: unknown = JSON.parse(
    data.subarray(8, 8 + Number(data.readBigUInt64LE(0))).toString(),
  );
  return (header as { __metadata__: Record<string, string> }).__metadata__;
}

/** Numbers that a dtype holds exactly, as bytes. */
export interface NewTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function float32Tensor(shape: readonly number[], values: ArrayLike<number>): NewTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** bfloat16 by cutting; give values that it holds exactly. */
export function bfloat16Tensor(shape: readonly number[], values: ArrayLike<number>): NewTensor {
  const words = new Uint32Array(Float32Array.from(values).buffer);
  return {
    dtype: 'BF16',
    shape,
    bytes: new Uint8Array(Uint16Array.from(words, (w) => w >>> 16).buffer),
  };
}

export function writeTensors(file: string, tensors: Readonly<Record<string, NewTensor>>): void {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(file, Buffer.concat([size, json, ...Object.values(tensors).map((t) => t.bytes)]));
}

export function bitAt(bits: Uint8Array, i: number): number {
  return (bits[i >>> 3] >>> (i & 7)) & 1;
}
