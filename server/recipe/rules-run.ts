import type { Problem } from '../protocol/problem';
import { find, type RecipePath } from './located';
import { findingRange } from './locate';
import type { RecipeDocument } from './parse';
import { plainPath } from './rules-experts';
import type { Policy } from './schema';
import { at, atKey, isSwept, replacement, type Rule } from './rule';
import { flowText } from './write';

/** Where runs may be written: below the recipe, or at an absolute place the writer names openly. */
export const outputDirectory: Rule = (document) => {
  const directory = document.recipe.output?.directory;
  if (directory === undefined) return [];
  const path = ['output', 'directory'];
  const fault = directoryFault(directory);
  if (fault !== undefined)
    return [
      at(document, path, 'MV312', `\`${directory}\` ${fault}; use \`--out\` to write elsewhere`),
    ];
  if (!isAbsolute(directory)) return [];
  return [at(document, path, 'MV328', `\`${directory}\` lies outside the folder of the recipe`)];
};

export function isAbsolute(path: string): boolean {
  return /^(?:[/\\]|[A-Za-z]:)/.test(path);
}

function directoryFault(directory: string): string | undefined {
  if (directory.includes('\0')) return 'is no path';
  if (directory.startsWith('~')) return 'names a home folder, which is not expanded';
  if (isAbsolute(directory)) return undefined;
  let depth = 0;
  for (const part of directory.split(/[/\\]/)) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return 'leaves the folder of the recipe';
  }
  return undefined;
}

/** Paths that could be written simpler. A path that holds a backslash on purpose is quoted by nobody. */
export const plainPaths: Rule = (document) => {
  const paths: [RecipePath, string | undefined][] = [
    [['base'], document.recipe.base],
    [['output', 'directory'], document.recipe.output?.directory],
  ];
  for (const task of document.tasks) {
    const expert = document.recipe.experts?.[task];
    if (typeof expert === 'string') paths.push([['experts', task], expert]);
    else
      paths.push(
        [['experts', task, 'path'], expert?.path],
        [['experts', task, 'adapter'], expert?.adapter],
      );
  }
  return paths.flatMap(([path, written]) => {
    if (written === undefined || written.startsWith('\\\\')) return [];
    const simple = plainPath(written);
    if (simple === written) return [];
    const fix = replacement(findingRange(document, path), flowText(simple));
    return [at(document, path, 'MV316', `this path can be written \`${simple}\``, fix)];
  });
};

const builtIn = ['so101-cubes'];

export const evaluation: Rule = (document) => {
  const { suite, command, policies } = document.recipe.evaluate ?? {};
  const problems: Problem[] = [];
  if (suite !== undefined && !builtIn.includes(suite) && command === undefined) {
    const message = `\`${suite}\` is not built in; it needs a \`command\` that runs it`;
    problems.push(at(document, ['evaluate', 'suite'], 'MV324', message));
  }
  if (policies?.length === 0) {
    const message = 'without a policy nothing is evaluated';
    problems.push(at(document, ['evaluate', 'policies'], 'MV302', message));
  }
  return problems;
};

/** Policies that need what the recipe turns off. */
export const policiesInVain: Rule = (document) => {
  const { evaluate, masks, router } = document.recipe;
  const off: [Policy, boolean, string][] = [
    ['masked', masks === 'none' && !isSwept(document, 'masks'), 'is `merged` with `masks: none`'],
    [
      'routed',
      router === 'none' && !isSwept(document, 'router'),
      'needs a router, and the recipe has `router: none`',
    ],
  ];
  return off.flatMap(([policy, isOff, why]) => {
    const index = evaluate?.policies?.indexOf(policy) ?? -1;
    const path = ['evaluate', 'policies', index];
    return isOff && index >= 0 ? [at(document, path, 'MV326', `\`${policy}\` ${why}`)] : [];
  });
};

export const slurmKeys: Rule = (document: RecipeDocument) => {
  const { run } = document.recipe;
  if (!run?.slurm || run.engine === 'slurm' || isSwept(document, 'run.engine')) return [];
  if (!find(document.root, ['run', 'slurm'])) return [];
  const message = '`slurm` is used only with `engine: slurm`';
  return [
    atKey(document, ['run', 'slurm'], 'MV326', message, {
      severity: 'information',
      tag: 'unnecessary',
    }),
  ];
};
