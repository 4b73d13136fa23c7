import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type Tensors = Readonly<Record<string, { shape: readonly number[]; values: Float32Array }>>;

/** Writes float32 tensors as one safetensors file. */
export function writeSafetensors(path: string, tensors: Tensors): void {
  const header: Record<string, object> = {};
  let offset = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, 0x20)]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = Object.values(tensors).map(({ values }) => Buffer.from(values.buffer));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.concat([length, padded, ...data]));
}

/** Numbers that look random and are the same each time. */
export function noise(count: number, seed: number, scale: number): Float32Array {
  let state = (seed * 2_654_435_761) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

export interface ZooShape {
  readonly experts: readonly string[];
  readonly blocks: number;
  /** Every tensor is a square matrix of so many rows. */
  readonly width: number;
  /** Tensor names without `<block>`; a plain transformer when absent. */
  readonly names?: (block: number) => readonly string[];
}

const transformer = (block: number): readonly string[] =>
  ['self_attn.q_proj', 'mlp.up_proj'].map((part) => `model.layers.${String(block)}.${part}.weight`);

/** Names of a vision-language-action model: two eyes, a projector, a language model. */
export const visionLanguageAction = (block: number): readonly string[] => [
  `vision_backbone.featurizer.blocks.${String(block)}.attn.qkv.weight`,
  `vision_backbone.fused_featurizer.blocks.${String(block)}.mlp.fc1.weight`,
  ...(block < 3 ? [`projector.fc${String(block + 1)}.weight`] : []),
  `language_model.model.layers.${String(block)}.self_attn.q_proj.weight`,
  `language_model.model.layers.${String(block)}.mlp.gate_proj.weight`,
];

/** A base and its experts, each of which changes every weight by a little of its own. */
export function writeZoo(
  folder: string,
  { experts, blocks, width, names = transformer }: ZooShape,
): void {
  const all = [...Array(blocks).keys()].flatMap((block) => [...names(block)]);
  const base = all.map((_, index) => noise(width * width, index + 1, 0.05));
  const write = (path: string, of: (index: number) => Float32Array): void =>
    writeSafetensors(
      path,
      Object.fromEntries(
        all.map((name, index) => [name, { shape: [width, width], values: of(index) }]),
      ),
    );
  write(`${folder}/base/model.safetensors`, (index) => base[index] ?? new Float32Array());
  experts.forEach((expert, task) =>
    write(`${folder}/${expert}/model.safetensors`, (index) => {
      const size = 0.006 + 0.004 * Math.sin(1 + task + (index * (task + 1)) / all.length);
      const change = noise(width * width, 1000 * (task + 1) + index, size);
      return change.map((value, at) => value + (base[index]?.[at] ?? 0));
    }),
  );
}
