import type { TensorReport } from '../protocol/report';
import { matchesComponent } from '../recipe/globs';
import { find, type RecipePath } from '../recipe/located';
import { inScope, type TensorFact } from '../recipe/validate-tensors';
import type { ServerContext } from './context';
import type { Analysis } from './documents';
import {
  metricsLinks,
  sourceText,
  table,
  tensorsText,
  waitingText,
  type Report,
} from './hover-metrics';
import { byGlob, matched } from './tensor-facts';
import { code, count, escape, percent, sparkline, valueOf, workedOut, type Figure } from './text';

const maxNames = 5;

/** At a glob, a component or a block range: which tensors, and what the tasks keep of them. */
export function tensorsHover(
  context: ServerContext,
  analysis: Analysis,
  path: RecipePath,
): string | undefined {
  const accepts = selector(analysis, path);
  const tensors = context.files.tensors(analysis);
  if (!accepts || !tensors || tensors.length === 0) return undefined;
  const checkpoints = context.files.loaded(analysis)?.checkpoints ?? [];
  const { names, elements } = matched(tensors, checkpoints, accepts);
  const blocks = tensors.filter(accepts).flatMap(({ block }) => block ?? []);
  const where =
    blocks.length === 0
      ? ''
      : ` in blocks ${String(Math.min(...blocks))} to ${String(Math.max(...blocks))}`;
  const head = `**${tensorsText(names.length)}**${where} · ${count(elements)} positions\u2002${metricsLinks(context, analysis)}`;
  const answer = context.metrics.report(analysis);
  const numbers =
    answer.state === 'ready'
      ? [taskTable(answer.report, new Set(names)), sourceText(answer.source)]
      : [nameList(names), waitingText(answer)];
  return [head.trimEnd(), ...numbers.filter((part) => part !== '')].join('\n\n');
}

function selector(
  { recipe }: Analysis,
  path: RecipePath,
): ((tensor: TensorFact) => boolean) | undefined {
  const value = find(recipe.root, path)?.value;
  if (path.includes('components') && value?.kind === 'scalar') {
    const component = String(value.value);
    return (tensor) => matchesComponent(component, tensor.component);
  }
  if (path.includes('blocks')) return inScope(recipe);
  if (value?.kind === 'scalar' && typeof value.value === 'string') return byGlob(value.value);
  return undefined;
}

function nameList(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).map((name) => `- ${code(name)}`);
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`- and ${String(more)} more`] : [])].join('\n');
}

function taskTable(report: Report, names: ReadonlySet<string>): string {
  const tensors = report.tensors.filter(({ name }) => names.has(name));
  if (tensors.length === 0) return 'None of them is merged.';
  const rows = report.tasks
    .slice(0, 8)
    .map((task) => [
      escape(task),
      percent(ratio(tensors, task)),
      percent(conflict(tensors, task), { short: true }),
      `\`${sparkline(byBlock(tensors, task), [0, 1])}\``,
    ]);
  const numbers = table(['task', 'active', 'conflict', 'active, by block'], rows);
  return [numbers, mostOpposed(tensors)].filter((part) => part !== '').join('\n\n');
}

/** Mean over the pairs with the other tasks, every tensor by its size. */
function conflict(tensors: readonly TensorReport<Figure>[], task: string): Figure | undefined {
  const found = tensors.flatMap(({ sign_conflict, elements }) =>
    Object.entries(sign_conflict)
      .filter(([pair]) => pair.split('|').includes(task))
      .map(([, figure]) => ({ figure, elements })),
  );
  const whole = found.reduce((sum, { elements }) => sum + elements, 0);
  if (whole === 0) return undefined;
  const sum = found.reduce((all, { figure, elements }) => all + valueOf(figure) * elements, 0);
  return workedOut(
    sum / whole,
    found.map(({ figure }) => figure),
  );
}

/** The tensor whose tasks contradict each other most; of a bias or a norm few signs tell little. */
function mostOpposed(tensors: readonly TensorReport<Figure>[]): string {
  const largest = Math.max(...tensors.map(({ elements }) => elements));
  const [found] = tensors
    .filter(({ elements }) => elements >= largest / 100)
    .flatMap(({ name, sign_conflict }) =>
      Object.entries(sign_conflict).map(([pair, figure]) => ({ name, pair, figure })),
    )
    .sort((a, b) => valueOf(b.figure) - valueOf(a.figure));
  if (!found) return '';
  const tasks = found.pair.split('|').map(escape).join(' and ');
  return `Most opposed: ${code(found.name)}, ${tasks}, ${percent(found.figure, { short: true })}.`;
}

function ratio(tensors: readonly TensorReport<Figure>[], task: string): Figure {
  const counts = tensors.map(({ active }) => active?.[task] ?? 0);
  const kept = counts.reduce<number>((sum, count) => sum + valueOf(count), 0);
  return workedOut(kept / tensors.reduce((sum, { elements }) => sum + elements, 0), counts);
}

function byBlock(tensors: readonly TensorReport<Figure>[], task: string): number[] {
  const blocks = [...new Set(tensors.flatMap(({ block }) => block ?? []))].sort((a, b) => a - b);
  return blocks.map((block) =>
    valueOf(
      ratio(
        tensors.filter((tensor) => tensor.block === block),
        task,
      ),
    ),
  );
}
