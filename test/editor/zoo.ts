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

/** A base and its experts with the given number of square matrices. */
export function writeZoo(
  folder: string,
  { experts, blocks, width }: { experts: readonly string[]; blocks: number; width: number },
): void {
  const names = [...Array(blocks).keys()].flatMap((block) =>
    ['self_attn.q_proj', 'mlp.up_proj'].map(
      (part) => `model.layers.${String(block)}.${part}.weight`,
    ),
  );
  const base = names.map((_, index) => noise(width * width, index + 1, 0.05));
  const write = (path: string, of: (index: number) => Float32Array): void =>
    writeSafetensors(
      path,
      Object.fromEntries(
        names.map((name, index) => [name, { shape: [width, width], values: of(index) }]),
      ),
    );
  write(`${folder}/base/model.safetensors`, (index) => base[index] ?? new Float32Array());
  experts.forEach((expert, task) =>
    write(`${folder}/${expert}/model.safetensors`, (index) => {
      const change = noise(width * width, 1000 * (task + 1) + index, 0.01);
      return change.map((value, at) => value + (base[index]?.[at] ?? 0));
    }),
  );
}
