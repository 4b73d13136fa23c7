import { compileGlob } from '../recipe/globs';
import type { TensorFact } from '../recipe/validate-tensors';
import type { NamedCheckpoint } from './load-files';

/** Tensors, and how many elements they have together. */
export interface Matched {
  readonly names: readonly string[];
  readonly elements: number;
}

/** The tensors that a test accepts, sized as the first checkpoint that has them: an action expert is not in every base. */
export function matched(
  tensors: readonly TensorFact[],
  checkpoints: readonly NamedCheckpoint[],
  accepts: (tensor: TensorFact) => boolean,
): Matched {
  const found = tensors.filter(accepts);
  const sizeOf = (name: string): number => {
    for (const { checkpoint } of checkpoints) {
      const tensor = checkpoint?.tensors.get(name);
      if (tensor) return tensor.elements;
    }
    return 0;
  };
  const elements = found.reduce((sum, { name }) => sum + sizeOf(name), 0);
  return { names: found.map(({ name }) => name), elements };
}

/** A test for a glob of the recipe. */
export function byGlob(glob: string): (tensor: TensorFact) => boolean {
  const matches = compileGlob(glob);
  return ({ name }) => matches(name);
}

/** Names with every number replaced by `*`, most tensors first: globs that a person would write. */
export function commonGlobs(tensors: readonly TensorFact[], limit: number): string[] {
  const counts = new Map<string, number>();
  const add = (glob: string): void => void counts.set(glob, (counts.get(glob) ?? 0) + 1);
  for (const { name } of tensors) {
    const general = name.replace(/(^|[._])\d+(?=[._]|$)/g, '$1*');
    add(general);
    const parts = general.split('.');
    for (let count = 1; count < parts.length && count <= 4; count += 1)
      add(`${parts.slice(0, count).join('.')}.*`);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .slice(0, limit)
    .map(([glob]) => glob);
}
