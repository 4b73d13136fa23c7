import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeSample } from '../../jobs/sample-zoo';
import { writeStudies } from '../../jobs/study-zoo';
import { MergeError } from '../../protocol/merge-error';
import { shortPath } from '../paths';
import type { Call, Outcome } from '../verb';

export async function run({ operands, options }: Call): Promise<Outcome> {
  const folder = resolve(operands[0] ?? '.');
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new MergeError('MV530', `${folder} is not empty, so no sample is written there`);
  mkdirSync(folder, { recursive: true });
  if (options.flag('study')) return studies(folder);
  const recipe = await writeSample(folder);
  return {
    code: 0,
    json: { folder, recipe },
    text: `The sample is in ${folder}.\nNext: mergevla merge ${shortPath(recipe)}`,
    quiet: recipe,
  };
}

function studies(folder: string): Outcome {
  const recipes = writeStudies(folder);
  return {
    code: 0,
    json: { folder, recipes },
    text: `The studies are in ${folder}.\nNext: mergevla sweep ${shortPath(recipes[0] ?? '')}`,
    quiet: recipes.join('\n'),
  };
}
