import type { CodeLens, Command, Range } from 'vscode-languageserver';
import { keyRange } from '../recipe/locate';
import type { RecipePath } from '../recipe/located';
import { resolveRecipe } from '../recipe/resolve';
import type { ServerContext } from './context';
import { toRange } from './convert';
import { findings } from './diagnostics';
import type { Analysis } from './documents';
import { judged } from './run-watch';

/** Actions at the top and above `evaluate`, results above tasks that a finished run has evaluated. */
export function codeLenses(context: ServerContext, analysis: Analysis): CodeLens[] {
  return [
    ...topLenses(context, analysis),
    ...compareLenses(context, analysis),
    ...evaluateLenses(context, analysis),
    ...taskLenses(context, analysis),
  ];
}

const top: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

function topLenses(context: ServerContext, { uri, recipe, path }: Analysis): CodeLens[] {
  const check = lens(top, checkTitle(context, uri), 'mergevla.check', uri);
  if (!context.session.trusted || path === undefined) return [check];
  const merge = [
    lens(top, '$(play)\u00a0Merge', 'mergevla.merge', uri),
    ...(recipe.recipe.evaluate ? [lens(top, '$(run-all)\u00a0Run', 'mergevla.run', uri)] : []),
    lens(top, 'Dry run', 'mergevla.plan', uri),
  ];
  return [check, ...merge, ...panelLenses(context, uri, recipe.recipe.router)];
}

/** Panels that exist in this editor, and have something to show. */
function panelLenses({ session }: ServerContext, uri: string, router: unknown): CodeLens[] {
  const panels: [string, string, boolean][] = [
    ['Mask ratios', 'mergevla.showMaskRatios', true],
    ['Routing', 'mergevla.showRouting', router !== 'none'],
    ['Success rates', 'mergevla.showSuccessRates', true],
  ];
  return panels
    .filter(([, command, useful]) => useful && session.commands.includes(command))
    .map(([title, command]) =>
      // Only the first panel is about a recipe; the others are about runs.
      command === 'mergevla.showMaskRatios'
        ? lens(top, title, command, uri)
        : lens(top, title, command),
    );
}

function checkTitle(context: ServerContext, uri: string): string {
  const problems = findings(context, uri);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.filter(({ severity }) => severity === 'warning').length;
  const parts = [
    ...(errors > 0 ? [`${String(errors)} error${errors === 1 ? '' : 's'}`] : []),
    ...(warnings > 0 ? [`${String(warnings)} warning${warnings === 1 ? '' : 's'}`] : []),
  ];
  return parts.length === 0 ? '$(check)\u00a0Check' : `Check: ${parts.join(', ')}`;
}

/** How the tasks stand to each other is asked where they are listed. */
function compareLenses({ session }: ServerContext, analysis: Analysis): CodeLens[] {
  const range = at(analysis, ['experts']);
  const isUseful =
    session.trusted && analysis.path !== undefined && analysis.recipe.tasks.length > 1;
  if (!range || !isUseful || !session.commands.includes('mergevla.showMaskRatios')) return [];
  return [lens(range, 'Compare tasks', 'mergevla.showMaskRatios', analysis.uri)];
}

function evaluateLenses({ session }: ServerContext, analysis: Analysis): CodeLens[] {
  const range = at(analysis, ['evaluate']);
  const { evaluate, experts } = resolveRecipe(analysis.recipe);
  if (!range || !evaluate || !session.trusted || analysis.path === undefined) return [];
  const size = [
    `${String(evaluate.policies.length)} policies`,
    `${String(experts.length)} tasks`,
    String(evaluate.episodes),
  ].join(' × ');
  return [
    lens(range, '$(play)\u00a0Evaluate', 'mergevla.evaluate', analysis.uri),
    lens(range, size, 'mergevla.evaluate', analysis.uri),
    ...(session.commands.includes('mergevla.showSuccessRates')
      ? [lens(range, 'Show success rates', 'mergevla.showSuccessRates')]
      : []),
  ];
}

/** The newest evaluated run of this recipe: `routed 88/100 in cubes-ta-3f9a | episodes`. */
function taskLenses({ runs, session }: ServerContext, analysis: Analysis): CodeLens[] {
  const run = runs
    .list()
    .find(({ summary, rates }) => summary.recipe === analysis.path && rates.size > 0);
  if (!run) return [];
  return analysis.recipe.tasks.flatMap((task) => {
    const range = at(analysis, ['experts', task]);
    const policy = judged.find((name) => run.rates.has(`${name}/${task}`));
    const rate = policy === undefined ? undefined : run.rates.get(`${policy}/${task}`);
    if (!range || policy === undefined || !rate) return [];
    const title = `${policy} ${String(rate.successes)}/${String(rate.episodes)} in ${run.summary.name}`;
    const { path } = run.summary;
    const cell = { run: path, policy, task };
    return [
      lens(range, title, 'mergevla.openRunReport', path),
      ...(session.commands.includes('mergevla.showSuccessRates')
        ? [lens(range, 'episodes', 'mergevla.showSuccessRates', cell)]
        : []),
    ];
  });
}

function at(analysis: Analysis, path: RecipePath): Range | undefined {
  const range = keyRange(analysis.recipe, path);
  return range && toRange(range);
}

function lens(range: Range, title: string, command: string, argument?: string | object): CodeLens {
  const action: Command = {
    ...{ title, command },
    ...(argument === undefined ? {} : { arguments: [argument] }),
  };
  return { range, command: action };
}
