import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { visionLanguageAction, writeZoo } from './zoo';

/** One start of the editor: which files of tests, on which folder or workspace file. */
export interface Launch {
  readonly name: string;
  readonly files: readonly string[];
  readonly target?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export const cubes = `version: 1
base: zoo/base
experts:
  pick_place: zoo/pick_place
  push_cube: zoo/push_cube
layout: generic
merge:
  method: ties
  alpha: 1.0
masks: { lambda: 0.6 }
router: none
`;

const missing = cubes.replace('push_cube: zoo/push_cube', 'gone: zoo/gone');

/** Many small matrices with many steps each: progress is seen, and the merge works until it is stopped. */
const slow = cubes
  .replaceAll('zoo/', 'long/')
  .replace('method: ties', 'method: wudi\n  iterations: 30000');

/** Writes fresh workspaces below a folder and lists the launches on them. */
export function launches(folder: string): Launch[] {
  const main = workspace(join(folder, 'main'));
  const restricted = workspace(join(folder, 'restricted'));
  return [
    { name: 'trusted folder', files: ['commands', 'language', 'jobs'], target: main },
    { name: 'the same folder after a reload', files: ['reload'], target: main },
    {
      name: 'untrusted folder',
      files: ['untrusted'],
      target: restricted,
      env: { HOST_TEST_TRUST: 'asked' },
    },
    { name: 'policies', files: ['policies'], target: policies(join(folder, 'policies')) },
    { name: 'no folder', files: ['empty'] },
    { name: 'two folders', files: ['folders'], target: twoFolders(join(folder, 'two')) },
  ];
}

function workspace(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeZoo(join(folder, 'zoo'), { experts: ['pick_place', 'push_cube'], blocks: 4, width: 32 });
  writeZoo(join(folder, 'long'), { experts: ['pick_place', 'push_cube'], blocks: 200, width: 8 });
  writeFileSync(join(folder, 'cubes.mergevla.yaml'), cubes);
  writeFileSync(join(folder, 'missing.mergevla.yaml'), missing);
  writeFileSync(join(folder, 'slow.mergevla.yaml'), slow);
  return folder;
}

/** A recipe on the small checkpoints in the released layout. */
function policies(folder: string): string {
  const fixtures = join(__dirname, '../../../test/fixtures/policy');
  const experts = ['libero_spatial', 'libero_object', 'libero_goal'].map(
    (task) => `  ${task}: ${join(fixtures, 'experts', task)}`,
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'policy.mergevla.yaml'),
    `version: 1\nbase: ${join(fixtures, 'base')}\nexperts:\n${experts.join('\n')}\nmerge: { precision: native }\n`,
  );
  return folder;
}

/** The second folder has no checkpoints. */
function twoFolders(folder: string): string {
  workspace(join(folder, 'first'));
  mkdirSync(join(folder, 'second'));
  writeFileSync(join(folder, 'second/cubes.mergevla.yaml'), cubes);
  const file = join(folder, 'two.code-workspace');
  writeFileSync(file, JSON.stringify({ folders: [{ path: 'first' }, { path: 'second' }] }));
  return file;
}

/** The recipe that the pictures show, as a person would have written it. */
const shown = `# SO-101 cubes: three experts, one policy
version: 1
base: zoo/base
experts:
  pick_place: zoo/pick_place
  push_cube: { path: zoo/push_cube, weight: 1.0 }
  stack_cube: zoo/stack_cube
layout: openvla
merge:
  method: ties
  alpha: 1.0
  scope:
    exclude: ["language_model.model.layers.11.*"]
masks:
  lambda: 0.6
router: none
evaluate:
  suite: so101-cubes
  episodes: 100
`;

const mistaken = `version: 1
base: zoo/base
experts:
  pick_place: zoo/pick_place
  push_cube: zoo/push_cube
  open_drawer: zoo/open_drawer
layout: openvla
merge:
  metod: ties
  epsilon: 0.15
masks: { lambda: 0.6 }
router: none
`;

/** A workspace to look at: a good recipe, one with mistakes, and checkpoints with the names of a real model. */
export function showcase(folder: string): string {
  const home = join(folder, 'so101-cubes');
  writeZoo(join(home, 'zoo'), {
    experts: ['pick_place', 'push_cube', 'stack_cube'],
    blocks: 12,
    width: 64,
    names: visionLanguageAction,
  });
  writeFileSync(join(home, 'cubes.mergevla.yaml'), shown);
  writeFileSync(join(home, 'drawer.mergevla.yaml'), mistaken);
  return home;
}

/** The trained sample with an evaluation that takes seconds, or one to look at. */
export function sample(folder: string, isForMedia: boolean): string {
  const home = join(folder, 'sample');
  const source = join(__dirname, '../../../samples/so101-cubes');
  cpSync(join(source, 'zoo'), join(home, 'zoo'), { recursive: true });
  const recipe = readFileSync(join(source, 'cubes.mergevla.yaml'), 'utf8');
  const extent = isForMedia
    ? 'episodes: 4, policies: [blind, experts, merged, masked, routed]'
    : 'episodes: 2, max_steps: 60, policies: [experts, routed]';
  const short = `evaluate: { suite: so101-cubes, execute: 4, ${extent} }\n`;
  writeFileSync(join(home, 'quick.mergevla.yaml'), recipe.replace(/^evaluate:[^]*/m, short));
  const picture = '../../../test/fixtures/policy/obs/obs0/full_crop.png';
  cpSync(join(__dirname, picture), join(home, 'front.png'));
  return home;
}
