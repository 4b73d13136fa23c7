// `npm run package [-- TARGET …]`: one VSIX for each platform, with only that platform's native files.
// Everything is put together in dist/package/<target>, so that a package never holds what a build left over.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** VS Code's name of a platform → the folder of its files in onnxruntime-node. */
export const targets = {
  'linux-x64': 'linux/x64',
  'linux-arm64': 'linux/arm64',
  'darwin-arm64': 'darwin/arm64',
  'win32-x64': 'win32/x64',
};

const shipped = [
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  '.vscodeignore',
  'language-configuration.json',
  'syntaxes',
  'docs/problems.md',
  'media',
  'samples',
];

/** Packages that cannot be bundled: native code, or a WASM file that is found beside its script. */
const external = (target) => [
  ['onnxruntime-node', ['package.json', 'LICENSE', 'dist', `bin/napi-v6/${targets[target]}`]],
  ['onnxruntime-common', ['package.json', 'LICENSE', 'dist/cjs']],
  ['@mujoco/mujoco', ['package.json', 'mujoco.js', 'mujoco.wasm']],
];

const isNoise = (path) => /\.(map|d\.ts|d\.mts|tsbuildinfo)$/.test(path);

function copy(from, to) {
  if (!existsSync(from)) return;
  cpSync(from, to, { recursive: true, filter: (path) => !isNoise(path) });
}

/** Builds and packs one target; answers the path of its VSIX. `zoo: false` leaves the sample's weights out. */
export async function packageTarget(target, { out = join(root, 'dist') } = {}) {
  const stage = join(root, 'dist/package', target);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const name of shipped) copy(join(root, name), join(stage, name));
  for (const [name, files] of external(target))
    for (const file of files)
      copy(join(root, 'node_modules', name, file), join(stage, 'dist/node_modules', name, file));
  await buildAll({ production: true, outdir: join(stage, 'dist') });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const vsix = resolve(out, `mergevla-${target}-${version}.vsix`);
  const vsce = join(root, 'node_modules/@vscode/vsce/vsce');
  const args = ['package', '--no-dependencies', '--no-rewrite-relative-links', '--target', target];
  const run = spawnSync(process.execPath, [vsce, ...args, '--out', vsix], {
    cwd: stage,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`vsce failed for ${target}\n${run.stdout}${run.stderr}`);
  rmSync(stage, { recursive: true, force: true });
  return vsix;
}

async function main() {
  const asked = process.argv.slice(2);
  for (const target of asked.length > 0 ? asked : Object.keys(targets)) {
    if (!(target in targets)) throw new Error(`unknown target ${target}`);
    const vsix = await packageTarget(target);
    console.log(`${vsix}  ${(statSync(vsix).size / 1e6).toFixed(1)} MB`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
