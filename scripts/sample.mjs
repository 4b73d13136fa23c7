// `npm start`: builds, writes the sample workspace into a folder of its own, merges it, prints the result.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(args) {
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const folder = join(mkdtempSync(join(tmpdir(), 'mergevla-sample-')), 'cubes');
run(['scripts/build.mjs']);
run(['dist/cli.js', 'init', folder, '--quiet']);
run(['dist/cli.js', 'merge', join(folder, 'cubes.mergevla.yaml')]);
