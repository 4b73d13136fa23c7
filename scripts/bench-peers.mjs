// `npm run bench:peers -- --mergekit FILE`: the same recipes through mergekit-yaml and through `mergevla`,
// on a generated zoo of Qwen2.5-0.5B's shape, one after the other: CPU seconds of all threads, peak memory,
// and how the numbers agree. The recipe is mergekit's; ours is what `import-recipe` makes of it.
// `--small` takes a zoo of a hundredth, `--float32` lets mergekit compute in float32 instead of bfloat16.
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { experts, measured, writeZoo } from './bench-zoo.mjs';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const flags = process.argv.slice(2);
const float32 = flags.includes('--float32');
const mergekit = flags.includes('--mergekit') && flags[flags.indexOf('--mergekit') + 1];
const scale = 0.5;

const each = (parameters) => ({ weight: 1, ...parameters });
const methods = {
  task_arithmetic: { models: each({}), parameters: { normalize: false, lambda: scale } },
  ties: { models: each({ density: 0.2 }), parameters: { normalize: false, lambda: scale } },
  breadcrumbs: {
    models: each({ density: 0.8, gamma: 0.05 }),
    parameters: { normalize: false, lambda: scale },
  },
  /** Drops at random, and each tool has its own generator. */
  dare_linear: { models: each({ density: 0.5 }), parameters: { normalize: false, lambda: scale } },
  model_stock: { models: {}, parameters: {} },
};

/** JSON is YAML. */
function mergekitRecipe(folder, method) {
  const { models, parameters } = methods[method];
  const recipe = {
    merge_method: method,
    base_model: join(folder, 'base'),
    models: experts.map((task) => ({ model: join(folder, task), parameters: models })),
    parameters,
    ...(float32 ? { dtype: 'float32', out_dtype: 'bfloat16' } : { dtype: 'bfloat16' }),
  };
  const file = join(folder, `${method}.mergekit.yaml`);
  writeFileSync(file, JSON.stringify(recipe));
  return file;
}

/** Tensors of all files of a checkpoint: name → numbers, read when asked for. */
function checkpoint(folder) {
  const tensors = new Map();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.safetensors'))) {
    const path = join(folder, name);
    const length = Number(bytesAt(path, 0, 8).readBigUInt64LE());
    const entries = JSON.parse(bytesAt(path, 8, length).toString());
    for (const [tensor, { data_offsets: at }] of Object.entries(entries))
      if (tensor !== '__metadata__')
        tensors.set(tensor, () => bytesAt(path, 8 + length + at[0], at[1] - at[0]));
  }
  return (name) => {
    const bytes = tensors.get(name)();
    return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  };
}

function bytesAt(path, position, length) {
  const bytes = Buffer.from(new ArrayBuffer(length));
  const file = openSync(path, 'r');
  readSync(file, bytes, 0, length, position);
  closeSync(file);
  return bytes;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
function widen(half) {
  bits[0] = half << 16;
  return float[0];
}

/** In one block's largest matrices: entries that differ, and entries with a neighbour nearer to the exact result. */
function compare(folder, ours, theirs, isExact) {
  const models = ['base', ...experts].map((name) => checkpoint(join(folder, name)));
  const sides = [ours, theirs].map(checkpoint);
  const counts = { entries: 0, differ: 0, ours: 0, theirs: 0 };
  for (const kind of ['gate', 'up', 'down']) {
    const name = `model.layers.7.mlp.${kind}_proj.weight`;
    const inputs = models.map((read) => read(name));
    const [own, other] = sides.map((read) => read(name));
    for (let i = 0; i < own.length; i++) {
      counts.entries++;
      if (own[i] !== other[i]) counts.differ++;
      if (!isExact) continue;
      const [base, ...rest] = inputs.map((input) => widen(input[i]));
      const exact = rest.reduce((sum, expert) => sum + scale * (expert - base), base);
      const error = (half) => Math.abs(widen(half) - exact);
      const isNearest = (half) =>
        error(half) <= error(half + 1) && error(half) <= error(Math.max(0, half - 1));
      if (!isNearest(own[i])) counts.ours++;
      if (!isNearest(other[i])) counts.theirs++;
    }
  }
  return counts;
}

function run(folder, method) {
  const recipe = mergekitRecipe(folder, method);
  const theirs = join(folder, `mergekit-${method}`);
  const peer = measured(
    [recipe, theirs, '--quiet', '--lazy-unpickle', '--no-copy-tokenizer'],
    mergekit,
  );
  const imported = join(folder, `${method}.mergevla.yaml`);
  measured([cli, 'import-recipe', recipe, '--out', imported, '--quiet']);
  const ours = join(folder, `ours-${method}`);
  const own = measured([cli, 'merge', imported, '--out', ours, '--quiet']);
  const isExact = method === 'task_arithmetic';
  const { entries, differ, ...missed } = compare(folder, join(ours, 'merged'), theirs, isExact);
  for (const path of [ours, theirs]) rmSync(path, { recursive: true });
  const percent = (count) => `${((100 * count) / entries).toFixed(2)} %`;
  return {
    'CPU s': own.cpu.toFixed(1),
    'mergekit CPU s': peer.cpu.toFixed(1),
    ratio: (own.cpu / peer.cpu).toFixed(3),
    'peak MB': Math.round(own.memory),
    'mergekit MB': Math.round(peer.memory),
    ...(method !== 'dare_linear' && { differ: percent(differ) }),
    ...(isExact && {
      'not nearest': percent(missed.ours),
      'mergekit not nearest': percent(missed.theirs),
    }),
  };
}

if (!mergekit) throw new Error('say where mergekit-yaml 0.1.5 is: --mergekit FILE');
const folder = mkdtempSync(join(tmpdir(), 'mergevla-peers-'));
try {
  writeZoo(folder, flags.includes('--small') ? 8 : 1);
  console.log(readFileSync(join(folder, 'base/config.json'), 'utf8').trim());
  const rows = Object.keys(methods).map((method) => [method, run(folder, method)]);
  console.table(Object.fromEntries(rows));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
