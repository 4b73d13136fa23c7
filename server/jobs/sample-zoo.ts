import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { narrow } from '../tensors/dtypes';
import { writeTorchFile } from '../tensors/torch-writer';
import { createOutput, finishOutput, planOutput, TensorWriter } from '../tensors/writer';
import { sampleHead, sampleModel, sampleProprio, type SampleTensor } from './sample-shapes';

/** The three tasks of the sample, named as those of the built-in bench. */
export const sampleTasks = ['pick_place', 'push_cube', 'stack_cube'] as const;

const recipeText = `# A merge of three small random policies: every part of the method in about a second.
version: 1
name: cubes
description: Three generated experts of one small vision-language-action model.
base: zoo/base
experts:
  pick_place: zoo/pick_place
  push_cube: zoo/push_cube
  stack_cube: zoo/stack_cube
merge:
  method: task_arithmetic # try ties
  alpha: 1.0
masks:
  lambda: 0.6 # larger keeps fewer positions for each task
router:
  rank: 8
`;

/**
 * Writes a sample workspace: a recipe and the small generated zoo it merges, the same bytes every time.
 * `folder` must exist. Gives the recipe's path.
 */
export async function writeSample(folder: string): Promise<string> {
  const base = generate(sampleModel, 'base', 0.05);
  writeCheckpoint(join(folder, 'zoo', 'base'), base, config);
  for (const task of sampleTasks) await writeExpert(join(folder, 'zoo', task), task, base);
  const recipe = join(folder, 'cubes.mergevla.yaml');
  writeFileSync(recipe, recipeText);
  return recipe;
}

export type Values = ReadonlyMap<SampleTensor, Float32Array>;

async function writeExpert(folder: string, task: string, base: Values): Promise<void> {
  writeCheckpoint(folder, fineTune(base, task), config);
  await writePart(join(folder, 'action_head--checkpoint.pt'), generate(sampleHead, task, 0.08));
  await writePart(
    join(folder, 'proprio_projector--checkpoint.pt'),
    generate(sampleProprio, task, 0.1),
  );
  writeFileSync(join(folder, 'dataset_statistics.json'), statistics(task));
}

/** Normal numbers, the same for one owner every time. */
export function generate(tensors: readonly SampleTensor[], owner: string, scale: number): Values {
  return new Map(
    tensors.map((tensor) => {
      const random = gaussian(`${owner}/${tensor.name}`);
      const values = new Float32Array(tensor.shape.reduce((product, n) => product * n, 1));
      for (let i = 0; i < values.length; i++)
        values[i] = tensor.isNorm ? 1 + 0.02 * random() : scale * random();
      return [tensor, values];
    }),
  );
}

/**
 * What fine-tuning with adapters leaves: every matrix moves by a product of two thin ones. One part is
 * common to all tasks, so that some positions agree and others conflict.
 */
export function fineTune(base: Values, task: string): Values {
  return new Map(
    [...base].map(([tensor, values]) => {
      if (tensor.name === 'action_queries.weight')
        return [tensor, generate([tensor], task, 0.05).get(tensor) ?? values];
      if (!tensor.isTuned) return [tensor, values];
      const own = lowRank(tensor, task, 0.006);
      const common = lowRank(tensor, 'common', 0.004);
      return [tensor, values.map((value, i) => value + (own[i] ?? 0) + (common[i] ?? 0))];
    }),
  );
}

function lowRank(tensor: SampleTensor, owner: string, scale: number): Float32Array {
  const rank = 4;
  const [rows = 1, ...rest] = tensor.shape;
  const columns = rest.reduce((product, n) => product * n, 1);
  const random = gaussian(`${owner}/${tensor.name}/lora`);
  const a = Float32Array.from({ length: rank * columns }, random);
  const b = Float32Array.from({ length: rows * rank }, random);
  const product = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < rank; k++)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        const step = (b[row * rank + k] ?? 0) * (a[k * columns + column] ?? 0) * scale;
        product[at] = (product[at] ?? 0) + step;
      }
  return product;
}

/** Normal numbers by Box and Muller from a 32-bit generator seeded by a text. */
function gaussian(seed: string): () => number {
  let state = 2166136261;
  for (const sign of seed) state = Math.imul(state ^ sign.charCodeAt(0), 16777619);
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** `model.safetensors` in bfloat16 with its `config.json`. */
export function writeCheckpoint(folder: string, values: Values, settings: object): void {
  const specs = [...values.keys()].map(({ name, shape }) => ({
    name,
    shape,
    dtype: 'BF16' as const,
  }));
  const plan = planOutput(specs, { folder, stem: 'model', metadata: { format: 'pt' } });
  createOutput(plan);
  const writer = new TensorWriter();
  for (const [tensor, numbers] of values) {
    const slot = plan.slots.get(tensor.name);
    if (slot) writer.write(slot, 0, bfloat16(numbers));
  }
  writer.close();
  finishOutput(plan);
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(settings, undefined, 2)}\n`);
}

async function writePart(path: string, values: Values): Promise<void> {
  const entries = [...values].map(([{ name, shape }, numbers]) => {
    const tensor = {
      kind: 'tensor',
      dtype: 'BF16',
      shape,
      chunks: () => [bfloat16(numbers)],
    } as const;
    return [name, tensor] as const;
  });
  await writeTorchFile(path, { kind: 'dictionary', entries });
}

function bfloat16(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  narrow('BF16', values, bytes);
  return bytes;
}

const config = {
  model_type: 'openvla',
  image_sizes: [56, 56],
  text_config: {
    model_type: 'qwen2',
    hidden_size: 64,
    intermediate_size: 96,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    num_hidden_layers: 4,
    rope_theta: 1_000_000,
    tie_word_embeddings: true,
    vocab_size: 448,
  },
};

function statistics(task: string): string {
  const ends = (size: number): object => ({
    q01: Array<number>(size).fill(-1),
    q99: Array<number>(size).fill(1),
  });
  const entry = { action: { ...ends(7), mask: Array<boolean>(7).fill(true) }, proprio: ends(8) };
  return `${JSON.stringify({ [task]: entry }, undefined, 2)}\n`;
}
