import type { Problem } from '../protocol/problem';
import { find, type RecipePath } from './located';
import { findingRange } from './locate';
import type { RecipeDocument } from './parse';
import { plainPath } from './rules-experts';
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
  const { evaluate } = document.recipe;
  if (!evaluate) return [];
  const problems: Problem[] = [];
  if (
    evaluate.suite !== undefined &&
    !builtIn.includes(evaluate.suite) &&
    evaluate.command === undefined
  )
    problems.push(
      at(
        document,
        ['evaluate', 'suite'],
        'MV324',
        `\`${evaluate.suite}\` is not built in; it needs a \`command\` that runs it`,
      ),
    );
  if (evaluate.policies?.length === 0)
    problems.push(
      at(document, ['evaluate', 'policies'], 'MV302', 'without a policy nothing is evaluated'),
    );
  const masked = evaluate.policies?.findIndex((policy) => policy === 'masked') ?? -1;
  if (document.recipe.masks === 'none' && masked >= 0 && !isSwept(document, 'masks'))
    problems.push(
      at(
        document,
        ['evaluate', 'policies', masked],
        'MV326',
        '`masked` is the same as `merged` with `masks: none`',
      ),
    );
  const routed = evaluate.policies?.findIndex((policy) => policy === 'routed') ?? -1;
  if (document.recipe.router === 'none' && routed >= 0 && !isSwept(document, 'router'))
    problems.push(
      at(
        document,
        ['evaluate', 'policies', routed],
        'MV326',
        '`routed` needs a router, and the recipe has `router: none`',
      ),
    );
  return problems;
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
