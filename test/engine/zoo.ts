import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bfloat16Tensor, temporaryFolder, writeTensors, type NewTensor } from './driver';

export type Model = Readonly<Record<string, NewTensor>>;

/** Writes models into a new folder; each is a directory with one file and a `config.json`. */
export function writeZoo(
  models: Readonly<Record<string, Model>>,
  folder = temporaryFolder(),
): string {
  for (const [name, tensors] of Object.entries(models)) {
    mkdirSync(join(folder, name), { recursive: true });
    writeTensors(join(folder, name, 'model.safetensors'), tensors);
    writeFileSync(join(folder, name, 'config.json'), '{"model_type":"qwen2"}\n');
  }
  return folder;
}

/** Numbers that repeat for the same seed, about normal, of the given size. */
export function noise(seed: number, n: number, size: number): Float32Array {
  let s = seed | 1;
  const next = (): number => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) / 0x100000000;
  };
  return Float32Array.from({ length: n }, () => (next() + next() + next() - 1.5) * 2 * size);
}

export const shapes: Readonly<Record<string, readonly number[]>> = {
  'model.embed_tokens.weight': [97, 48],
  'model.layers.0.mlp.down_proj.weight': [48, 200],
  'model.layers.0.input_layernorm.weight': [48],
  'model.layers.1.mlp.down_proj.weight': [48, 200],
  'model.layers.1.self_attn.q_proj.weight': [64, 48],
  'model.norm.weight': [33],
};

/** A base and experts near it, bfloat16, whose step sizes differ. */
export function noisyZoo(tasks: readonly string[]): Record<string, Model> {
  const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  const base = Object.entries(shapes).map(([name, shape], i) => {
    return [name, shape, noise(i + 1, count(shape), 0.02)] as const;
  });
  const model = (shift: number, size: number): Model =>
    Object.fromEntries(
      base.map(([name, shape, values], i) => {
        const step = noise(1000 * shift + i, values.length, size);
        return [
          name,
          bfloat16Tensor(
            shape,
            values.map((v, k) => v + step[k]),
          ),
        ];
      }),
    );
  return {
    base: model(1, 0),
    ...Object.fromEntries(tasks.map((task, m) => [task, model(m + 2, 1e-3 * (m + 1))])),
  };
}

export function recipeText(tasks: readonly string[], settings: object): string {
  const experts = Object.fromEntries(tasks.map((task) => [task, task]));
  return JSON.stringify({ version: 1, base: 'base', experts, router: 'none', ...settings });
}
