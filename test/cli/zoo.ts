import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A safetensors file; `edit` may spoil the header's text, `length` the number in front of it. */
export function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, RawTensor>>,
  spoil: { readonly edit?: (header: string) => string; readonly length?: number } = {},
): void {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.length] };
    offset += data.length;
  }
  const text = (spoil.edit ?? ((same) => same))(JSON.stringify(header));
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(spoil.length ?? bytes.length));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    Buffer.concat([length, bytes, ...Object.values(tensors).map(({ data }) => data)]),
  );
}

export function float32(shape: readonly number[], value: (i: number) => number): RawTensor {
  const elements = shape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length: elements }, (_, i) => value(i));
  return { dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
}

/** Three small tensors with plain names; experts differ from the base by `step`. */
export function smallModel(step: number): Record<string, RawTensor> {
  return {
    'model.embed_tokens.weight': float32([6, 4], (i) => i / 8),
    'model.layers.0.mlp.up_proj.weight': float32([4, 4], (i) => Math.sin(i) + step * Math.cos(i)),
    'model.layers.1.mlp.up_proj.weight': float32(
      [4, 4],
      (i) => Math.cos(i) - step * Math.sin(3 * i),
    ),
  };
}

export interface SmallZoo {
  readonly folder: string;
  readonly recipe: string;
  readonly base: string;
  readonly experts: readonly [string, string];
}

/** A base, two experts and a recipe in `folder`; parts may be replaced before they are written. */
export function writeZoo(
  folder: string,
  parts: { readonly lines?: readonly string[]; readonly first?: Record<string, RawTensor> } = {},
): SmallZoo {
  const path = (name: string): string => join(folder, name, 'model.safetensors');
  writeSafetensors(path('base'), smallModel(0));
  writeSafetensors(path('one'), parts.first ?? smallModel(0.1));
  writeSafetensors(path('two'), smallModel(-0.2));
  const recipe = join(folder, 'small.mergevla.yaml');
  const lines = ['version: 1', 'base: base', 'experts: { one: one, two: two }'];
  writeFileSync(recipe, [...lines, ...(parts.lines ?? []), ''].join('\n'));
  return { folder, recipe, base: path('base'), experts: [path('one'), path('two')] };
}
