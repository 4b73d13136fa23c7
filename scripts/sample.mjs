// `npm start`: builds, writes the sample workspace into a folder of its own, merges it as the paper prints
// it and in the best form found and, where the trained zoo is there, rolls both out; prints the results.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
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
// Five episodes a cell show the picture within three minutes on two cores; a table needs more.
const isTrained = existsSync(join(root, 'samples/so101-cubes/zoo/base/config.json'));
for (const name of ['cubes', 'cubes-best']) {
  const recipe = join(folder, `${name}.mergevla.yaml`);
  console.log(`\n${name}.mergevla.yaml`);
  run(['dist/cli.js', ...(isTrained ? ['run', recipe, '--episodes', '5'] : ['merge', recipe])]);
}
