// `npm run bench`: merges a generated zoo of Qwen2.5-0.5B's shape (bf16, base and three experts, 3.95 GB)
// and prints our figures beside the copy limit of the same bytes, measured in the same run.
// `--small` takes a zoo of a hundredth, `--keep` leaves the folder, `--threads N` as for a merge.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hoverTimes } from './bench-hover.mjs';
import { experts, header, measured, writeZoo } from './bench-zoo.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const flags = process.argv.slice(2);
const small = flags.includes('--small');
const threads = flags.includes('--threads') ? flags[flags.indexOf('--threads') + 1] : 'auto';
const cli = join(root, 'dist/cli.js');

/** Llama-2-7B's shapes, for a sparse zoo that is planned but hardly read. */
function llamaShapes() {
  const shapes = { 'model.embed_tokens.weight': [32000, 4096], 'lm_head.weight': [32000, 4096] };
  for (let i = 0; i < 32; i++) {
    const at = `model.layers.${i}`;
    for (const name of ['q', 'k', 'v', 'o'])
      shapes[`${at}.self_attn.${name}_proj.weight`] = [4096, 4096];
    for (const name of ['gate', 'up']) shapes[`${at}.mlp.${name}_proj.weight`] = [11008, 4096];
    shapes[`${at}.mlp.down_proj.weight`] = [4096, 11008];
    for (const name of ['input', 'post_attention'])
      shapes[`${at}.${name}_layernorm.weight`] = [4096];
  }
  return shapes;
}

/** Reads every input and writes as many bytes as the merge does, with fsync. */
function copyLimit(folder, writes) {
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (const name of ['base', ...experts]) {
    const path = join(folder, name, 'model.safetensors');
    const file = openSync(path, 'r');
    const size = statSync(path).size;
    for (let at = 0; at < size;) at += readSync(file, buffer, 0, buffer.length, at);
    closeSync(file);
  }
  const out = join(folder, 'copy');
  const file = openSync(out, 'w');
  for (let at = 0; at < writes; at += buffer.length) writeSync(file, buffer);
  fsyncSync(file);
  closeSync(file);
  const wall = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  rmSync(out);
  return { wall, cpu: (used.user + used.system) / 1e6 };
}

function recipe(folder, name, merge) {
  const file = join(folder, `${name}.mergevla.yaml`);
  const lines = [
    'version: 1',
    'base: base',
    'experts:',
    ...experts.map((task) => `  ${task}: ${task}`),
    `merge: ${JSON.stringify(merge)}`,
    'masks: { lambda: 0.6 }',
    `run: { threads: ${threads} }`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function row(name, values) {
  console.log(name.padEnd(44) + values.map((value) => value.padStart(14)).join(''));
}

function timing(label, args, limit) {
  const best = [1, 2, 3].map(() => measured(args).wall).sort((a, b) => a - b)[0];
  row(label, [`${best.toFixed(2)} s`, '', '', `limit ${limit} s`]);
}

/** The sampled metrics of a zoo: in a terminal, and at the cursor. */
async function sampled(label, file, limit) {
  const args = [cli, 'inspect', file, '--json'];
  const figures = measured(args);
  const { read } = JSON.parse(
    spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout,
  );
  row(`inspect ${label}, sampled`, [
    figures.cpu.toFixed(2),
    figures.wall.toFixed(2),
    figures.memory.toFixed(0),
    `${(read.bytes / 1e6).toFixed(1)} MB in ${read.reads} reads`,
  ]);
  const times = await hoverTimes(file);
  const ms = (value) => `${value.toFixed(0)} ms`;
  row(`first hover, ${label}`, ['', ms(times.cold), '', `limit ${limit} ms`]);
  row('  the same with samples on disk', ['', ms(times.restarted), '', '']);
  row('  warm hover', ['', ms(times.warm), '', 'limit 30 ms']);
  row('  slider frame', ['', ms(times.slider), '', 'limit 50 ms']);
}

const folder = mkdtempSync(join(tmpdir(), 'mergevla-bench-'));
try {
  const input = writeZoo(folder, small ? 8 : 1);
  const output = (input / 8) * (2 + 3 / 8);
  console.log(
    `zoo of ${(input / 1e9).toFixed(2)} GB, ${(output / 1e9).toFixed(2)} GB to write, threads ${threads}`,
  );
  row('', ['CPU s', 'wall s', 'peak MB', '']);
  const copy = copyLimit(folder, output);
  row('copy limit (read all, write as much, fsync)', [
    copy.cpu.toFixed(2),
    copy.wall.toFixed(2),
    '',
    '',
  ]);
  const merges = [
    ['task arithmetic + 3 masks', { method: 'task_arithmetic' }, 4],
    ['TIES, density 0.2 + 3 masks', { method: 'ties', density: 0.2 }, 8],
  ];
  for (const [name, merge, limit] of merges) {
    const file = recipe(folder, merge.method, merge);
    const out = join(folder, `out-${merge.method}`);
    const figures = measured([cli, 'merge', file, '--out', out, '--quiet']);
    rmSync(out, { recursive: true });
    row(name, [
      figures.cpu.toFixed(2),
      `${figures.wall.toFixed(2)} (${(figures.wall / copy.wall).toFixed(2)}x)`,
      figures.memory.toFixed(0),
      `limit ${limit} s, 400 MB`,
    ]);
  }
  timing('mergevla --version', [cli, '--version'], 0.15);
  timing('mergevla check', [cli, 'check', join(folder, 'task_arithmetic.mergevla.yaml')], 0.4);

  await sampled('0.5B', join(folder, 'task_arithmetic.mergevla.yaml'), 1500);

  const sparse = join(folder, 'sparse');
  for (const name of ['base', ...experts, 'fourth', 'fifth'].slice(0, small ? 4 : 6)) {
    mkdirSync(join(sparse, name), { recursive: true });
    const path = join(sparse, name, 'model.safetensors');
    const { bytes, size } = header(llamaShapes(), 2);
    writeFileSync(path, bytes);
    truncateSync(path, bytes.length + size);
  }
  const big = recipe(sparse, 'big', { method: 'ties', density: 0.2 });
  timing('plan of a sparse 7B zoo', [cli, 'plan', big], 3);
  const out = join(folder, 'out-big');
  const glob = ['--only', 'model.layers.3.mlp.*'];
  const figures = measured([cli, 'merge', big, ...glob, '--out', out, '--quiet']);
  row('merge of three of its tensors', [
    figures.cpu.toFixed(2),
    figures.wall.toFixed(2),
    figures.memory.toFixed(0),
    'limit 2048 MB',
  ]);
  await sampled('sparse 7B', big, 5000);
} finally {
  if (flags.includes('--keep')) console.log(`left ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
