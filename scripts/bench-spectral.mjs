// Iso-CTS of four experts on the language-model matrices of Qwen2.5-0.5B's shape: CPU seconds and peak
// memory, beside NumPy's float32 LAPACK on one thread where Python with NumPy is there (--python FILE).
// Each distinct shape is measured once and multiplied by how often it occurs; --full merges all 168.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embedLinearAlgebra } from './linalg.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const blocks = 24;
const experts = 4;
/** Rows, columns, and how many of them a block has. */
const shapes = [
  [896, 896, 2, 'q, o'],
  [128, 896, 2, 'k, v'],
  [4864, 896, 2, 'gate, up'],
  [896, 4864, 1, 'down'],
];

const ours = `
import { createAlgebra } from './server/compute/linalg/algebra';
import { isoCts } from './server/engine/spectral/iso';
import { inMemory } from './server/engine/spectral/operand';
const [rows, columns, experts, times] = process.argv.slice(2).map(Number);
let state = 1;
const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const taskVectors = Array.from({ length: experts }, () =>
  Float32Array.from({ length: rows * columns }, () => 0.002 * (next() + next() + next() - 1.5)));
const main = async () => {
  const algebra = await createAlgebra();
  const merge = (taskVectors, rows, columns) =>
    isoCts({ rows, columns, taskVectors: inMemory(taskVectors), algebra }, { rankTolerance: 0, commonFraction: 0.8 });
  // A merge compiles its code once, for its first matrix.
  merge(taskVectors.map((taskVector) => taskVector.subarray(0, 128 * 896)), 128, 896);
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) merge(taskVectors, rows, columns);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  console.log(JSON.stringify({ seconds, bytes: process.resourceUsage().maxRSS * 1024 }));
};
main();
`;

const theirs = `
import json, resource, sys, time
import numpy as np
rows, columns, experts, times = map(int, sys.argv[1:])
rng = np.random.default_rng(1)
taus = [(0.002 * rng.standard_normal((rows, columns))).astype(np.float32) for _ in range(experts)]
def svd(a): return np.linalg.svd(a, full_matrices=False)
def polar(a):
    u, _, v = svd(a)
    return u @ v
def iso_cts(taus):
    r = min(taus[0].shape)
    each = round((r - int(0.8 * r)) / experts)
    common = r - each * experts
    u, s, v = svd(sum(taus))
    uc = u[:, :common]
    us, ss, vs = [], [], []
    for t in taus:
        a, b, c = svd(t - uc @ (uc.T @ t))
        us.append(a[:, :each]); ss.append(b[:each]); vs.append(c[:each])
    us.append(uc); ss.append(s[:common]); vs.append(v[:common])
    return polar(np.hstack(us)) @ (np.concatenate(ss).mean() * polar(np.vstack(vs)))
iso_cts([t.reshape(-1)[:128 * 896].reshape(128, 896) for t in taus])
start = time.process_time()
for _ in range(times): iso_cts(taus)
print(json.dumps({'seconds': time.process_time() - start,
                  'bytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
`;

function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

function measure(command, args, env = {}) {
  const { status, stdout } = spawnSync(command, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? JSON.parse(stdout) : undefined;
}

const work = mkdtempSync(join(tmpdir(), 'mergevla-bench-'));
try {
  embedLinearAlgebra();
  const bundle = join(work, 'ours.cjs');
  await build({
    absWorkingDir: root,
    stdin: { contents: ours, resolveDir: root, loader: 'js' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: bundle,
  });
  const script = join(work, 'theirs.py');
  writeFileSync(script, theirs);
  const full = process.argv.includes('--full');
  const python = option('python') ?? 'python3';
  const single = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  const rows = [];
  for (const [height, width, inBlock, names] of shapes) {
    const count = inBlock * blocks;
    const args = [height, width, experts, full ? count : 1].map(String);
    const own = measure(process.execPath, [bundle, ...args]);
    if (!own) throw new Error(`Iso-CTS of ${names} failed`);
    const numpy = measure(python, [script, ...args], single);
    const all = (seconds) => (full ? seconds : seconds * count);
    rows.push({
      matrices: `${count} × ${names} [${height}, ${width}]`,
      'CPU s': all(own.seconds),
      'peak MB': own.bytes / 1e6,
      ...(numpy && {
        'NumPy CPU s': all(numpy.seconds),
        'NumPy MB': numpy.bytes / 1e6,
        ratio: own.seconds / numpy.seconds,
      }),
    });
  }
  const total = (key) => rows.reduce((sum, row) => sum + (row[key] ?? NaN), 0);
  const round = (value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value);
  console.log(
    `Iso-CTS, ${experts} experts, ${blocks} blocks, ${full ? 'every matrix' : 'one matrix a shape, multiplied'}`,
  );
  console.table(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, round(v)]))),
  );
  const cpu = total('CPU s');
  const numpy = total('NumPy CPU s');
  const peak = Math.max(...rows.map((row) => row['peak MB']));
  console.log(`CPU ${cpu.toFixed(0)} s, peak ${peak.toFixed(0)} MB (at most 1500)`);
  if (Number.isNaN(numpy))
    console.log('NumPy was not measured: --python FILE names a Python that has it');
  else console.log(`NumPy ${numpy.toFixed(0)} s, ratio ${(cpu / numpy).toFixed(2)} (target 1.5)`);
  if (peak > 1500) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
