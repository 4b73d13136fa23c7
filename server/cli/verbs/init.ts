import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
  const trained = copyTrainedSample(folder);
  const recipe = trained ?? (await writeSample(folder));
  const next = trained === undefined ? 'merge' : 'run';
  return {
    code: 0,
    json: { folder, recipe },
    text: `The sample is in ${folder}.\nNext: mergevla ${next} ${shortPath(recipe)}`,
    quiet: recipe,
  };
}

/** The trained sample beside the program, where it was installed; undefined where it was not. */
function copyTrainedSample(folder: string): string | undefined {
  const sample = resolve(__dirname, '../samples/so101-cubes');
  if (!existsSync(join(sample, 'zoo', 'base', 'config.json'))) return undefined;
  const wanted = (name: string): boolean => name === 'zoo' || /\.(yaml|md)$/.test(name);
  for (const name of readdirSync(sample).filter(wanted))
    cpSync(join(sample, name), join(folder, name), { recursive: true });
  return join(folder, 'cubes.mergevla.yaml');
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
