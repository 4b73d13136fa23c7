import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeSample } from '../../jobs/sample-zoo';
import { MergeError } from '../../protocol/merge-error';
import { shortPath } from '../paths';
import type { Call, Outcome } from '../verb';

export async function run({ operands }: Call): Promise<Outcome> {
  const folder = resolve(operands[0] ?? '.');
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new MergeError('MV530', `${folder} is not empty, so no sample is written there`);
  mkdirSync(folder, { recursive: true });
  const recipe = await writeSample(folder);
  return {
    code: 0,
    json: { folder, recipe },
    text: `The sample is in ${folder}.\nNext: mergevla merge ${shortPath(recipe)}`,
    quiet: recipe,
  };
}
