import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeZoo } from './zoo';

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

/** Writes fresh workspaces below a folder and lists the launches on them. */
export function launches(folder: string): Launch[] {
  const main = workspace(join(folder, 'main'));
  return [{ name: 'trusted folder', files: ['language'], target: main }];
}

function workspace(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeZoo(join(folder, 'zoo'), { experts: ['pick_place', 'push_cube'], blocks: 4, width: 32 });
  writeFileSync(join(folder, 'cubes.mergevla.yaml'), cubes);
  return folder;
}
