import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bfloat16Bits } from '../../server/tensors/dtypes';
import { openCheckpoint } from '../../server/tensors/checkpoint';
import { TensorReader } from '../../server/tensors/reader';
import { writeTorchFile } from '../../server/tensors/torch-writer';
import type { TensorInfo } from '../../server/tensors/types';
import { JOINTS, TASKS } from '../../server/evaluate/so101/scene';

const fixtures = resolve(__dirname, '../fixtures/policy');
const sources = ['libero_spatial', 'libero_object', 'libero_goal'] as const;

/**
 * The golden policies, cut to the six joints of the bench: they can do nothing, and do it with every
 * part of a real policy. Gives the recipe's path.
 */
export async function writeBenchZoo(folder: string, evaluate: string): Promise<string> {
  copySmall(join(fixtures, 'base'), join(folder, 'base'), () => true);
  for (const [index, task] of TASKS.entries()) {
    const source = join(fixtures, 'experts', sources[index] ?? '');
    const target = join(folder, task);
    copySmall(source, target, (name) => !name.endsWith('.pt'));
    writeStatistics(source, target, task);
    await cutHead(source, target);
  }
  const recipe = join(folder, 'cubes.mergevla.yaml');
  const experts = TASKS.map((task) => `  ${task}: ${task}`).join('\n');
  writeFileSync(recipe, `version: 1\nbase: base\nexperts:\n${experts}\n${evaluate}`);
  return recipe;
}

function copySmall(from: string, to: string, wanted: (name: string) => boolean): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter(wanted))
    copyFileSync(join(from, name), join(to, name));
}

/** Actions and states in the bench's range, so that the arm moves. */
function writeStatistics(source: string, target: string, task: string): void {
  const before = JSON.parse(readFileSync(join(source, 'dataset_statistics.json'), 'utf8'));
  const count = JOINTS.length;
  const list = (value: number): number[] => Array.from({ length: count }, () => value);
  const entry = {
    mean: list(0),
    std: list(1),
    min: list(-1),
    max: list(1),
    q01: list(-1),
    q99: list(1),
  };
  const [first] = Object.values<{ num_transitions?: number }>(before);
  const statistics = { [task]: { ...first, action: entry, proprio: entry } };
  writeFileSync(join(target, 'dataset_statistics.json'), JSON.stringify(statistics));
}

async function cutHead(source: string, target: string): Promise<void> {
  const checkpoint = await openCheckpoint(source);
  const reader = new TensorReader(checkpoint.files);
  const files: Record<string, [string, ReturnType<typeof entryOf>][]> = {
    'action_head--1_checkpoint.pt': [],
    'proprio_projector--1_checkpoint.pt': [],
  };
  for (const [name, info] of checkpoint.tensors) {
    if (name.startsWith('action_head.'))
      files['action_head--1_checkpoint.pt']?.push([
        name.slice(12),
        entryOf(reader, info, cutOf(name)),
      ]);
    if (name.startsWith('proprio_projector.'))
      files['proprio_projector--1_checkpoint.pt']?.push([
        name.slice(18),
        entryOf(reader, info, cutOf(name)),
      ]);
  }
  reader.close();
  for (const [name, entries] of Object.entries(files))
    await writeTorchFile(join(target, name), { kind: 'dictionary', entries });
}

/** Which axis of a tensor has the robot's size: rows of the output layer, columns of the state's first. */
function cutOf(name: string): 'rows' | 'columns' | undefined {
  if (/^action_head\.model\.fc2\./.test(name)) return 'rows';
  return name === 'proprio_projector.fc1.weight' ? 'columns' : undefined;
}

function entryOf(reader: TensorReader, info: TensorInfo, cut: 'rows' | 'columns' | undefined) {
  const values = new Float32Array(info.elements);
  reader.readFloat32(info, 0, values);
  const [rows = 1, columns = 1] = info.shape;
  const kept = JOINTS.length;
  const shape =
    cut === 'rows' ? [kept, ...info.shape.slice(1)] : cut === 'columns' ? [rows, kept] : info.shape;
  const numbers =
    cut === 'columns'
      ? values.filter((_, index) => index % columns < kept)
      : values.slice(
          0,
          shape.reduce((product, n) => product * n, 1),
        );
  const bytes = new Uint8Array(numbers.length * 2);
  const view = new DataView(bytes.buffer);
  const bits = new Uint32Array(numbers.buffer);
  bits.forEach((word, index) => view.setUint16(index * 2, bfloat16Bits(word), true));
  return { kind: 'tensor', dtype: 'BF16', shape, chunks: () => [bytes] } as const;
}
