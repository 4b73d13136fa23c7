import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fineTune, generate, writeCheckpoint } from './sample-zoo';
import { studyConfig, studyModel } from './study-shapes';

/** The four LIBERO suites, one expert each. */
export const studyTasks = ['spatial', 'object', 'goal', 'long'] as const;

const zoo = `base: zoo/base
experts:
  spatial: zoo/spatial
  object: zoo/object
  goal: zoo/goal
  long: zoo/long`;

const plain = `masks: none
router: none
output: {form: weights}`;

/** Table 2 of the MergeVLA supplement: which components of OpenVLA can be merged at all. */
const components = `# Which components can be merged: each combination by Iso-CTS, all else from the task that is evaluated.
# A vision backbone, B projector, C language model body, D language model head.
version: 1
name: components
${zoo}
merge:
  method: iso_cts
  scope: {components: [A]}
  keep_from: spatial
${plain}
sweep:
  merge.scope.components:
    - [A]
    - [B]
    - [D]
    - [A, B]
    - [A, D]
    - [A, B, D]
    - [C]
  merge.keep_from: [spatial, object, goal, long]
`;

/** Figure 1: blocks 0 to k of the language model, for every k. */
const blocks = `# How many blocks of the language model can be merged: the first k by Iso-CTS, all else from one task.
version: 1
name: blocks
${zoo}
merge:
  method: iso_cts
  scope: {components: [C], blocks: {from: 0, to: 1}}
  keep_from: spatial
${plain}
sweep:
  merge.scope.blocks.to: [${Array.from({ length: 32 }, (_, i) => i + 1).join(', ')}]
`;

/**
 * Writes the studies of the MergeVLA supplement on a small generated zoo of OpenVLA's shape, the same
 * bytes every time. `folder` must exist. Gives the recipes' paths.
 */
export function writeStudies(folder: string): readonly string[] {
  const base = generate(studyModel, 'openvla', 0.05);
  writeCheckpoint(join(folder, 'zoo', 'base'), base, studyConfig);
  for (const task of studyTasks)
    writeCheckpoint(join(folder, 'zoo', task), fineTune(base, task), studyConfig);
  return Object.entries({ components, blocks }).map(([name, text]) => {
    const path = join(folder, `${name}.mergevla.yaml`);
    writeFileSync(path, text);
    return path;
  });
}
