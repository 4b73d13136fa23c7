// `npm run test:clients`: the unmodified Python clients of openpi and vla-eval drive our server.
// Builds a virtual environment once; says that it is skipped where Python 3.11 or pip cannot be had.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const venv = join(root, '.venv');
const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const packages = ['openpi-client==0.1.2', 'vla-eval==0.8.0'];

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
  const fixtures = join(root, 'test/fixtures/policy');
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

if (!existsSync(join(root, 'dist/cli.js'))) {
  console.error('dist/cli.js is missing: run npm run build first');
  process.exit(1);
}
prepare();
const { child, port } = await serve();
let status;
try {
  const script = join(root, 'scripts/test-clients.py');
  const run = spawn(python, [script, String(port), join(root, 'test/fixtures/policy')], {
    stdio: 'inherit',
  });
  status = await new Promise((resolve) => run.once('exit', (code) => resolve(code ?? 1)));
} finally {
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
}
process.exit(status);
