import { resolveRecipe } from '../recipe/resolve';
import type { Checkpoint } from '../tensors/types';
import { numbers } from './checkpoints';
import type { ServerContext } from './context';
import type { Analysis } from './documents';
import type { LoadedFiles, NamedCheckpoint } from './load-files';
import { metricsLinks, table, taskTables, waitingText } from './hover-metrics';
import { bytes, code, count, escape, plural } from './text';

const maxDtypes = 4;

/** Size, tensors, dtypes and layout of the base, by component. */
export function baseHover(context: ServerContext, analysis: Analysis): string {
  const { files, session } = context;
  if (!session.trusted) return 'Checkpoints are read only in a trusted workspace.';
  const loaded = files.loaded(analysis);
  const base = loaded?.checkpoints.find(({ role }) => role === 'base');
  if (!loaded || !base) return '$(loading~spin) Reading headers …';
  if (!base.checkpoint) return `**base** ${escape(base.error?.message ?? 'cannot be read')}`;
  return [
    `**base** · ${summary(base.checkpoint)} · layout ${loaded.layout ?? 'unknown'}`,
    componentTable(loaded, base.checkpoint),
    code(base.path),
  ].join('\n\n');
}

function summary(checkpoint: Checkpoint): string {
  const { tensors, elements, bytes: size } = numbers(checkpoint);
  return `${plural(tensors, 'tensor')}, ${count(elements)} parameters, ${dtypes(checkpoint)}, ${bytes(size)}`;
}

function dtypes({ tensors }: Checkpoint): string {
  const names = [...new Set([...tensors.values()].map(({ dtype }) => dtype.toLowerCase()))];
  const more = names.length > maxDtypes ? ` and ${String(names.length - maxDtypes)} more` : '';
  return names.slice(0, maxDtypes).join(', ') + more;
}

function componentTable({ tensors }: LoadedFiles, checkpoint: Checkpoint): string {
  const rows = new Map<string, { tensors: number; elements: number; blocks: Set<number> }>();
  for (const { name, component, block } of tensors) {
    const row = rows.get(component) ?? { tensors: 0, elements: 0, blocks: new Set<number>() };
    row.tensors += 1;
    row.elements += checkpoint.tensors.get(name)?.elements ?? 0;
    if (block !== null) row.blocks.add(block);
    rows.set(component, row);
  }
  const lines = [...rows]
    .slice(0, 8)
    .map(([component, row]) => [
      escape(component),
      String(row.tensors),
      row.blocks.size === 0 ? '–' : String(row.blocks.size),
      count(row.elements),
    ]);
  return table(['component', 'tensors', 'blocks', 'parameters'], lines);
}

/** A task's checkpoint, what differs from the base, and its conflict metrics where they are known. */
export function taskHover(
  context: ServerContext,
  analysis: Analysis,
  task: string,
  part: 'key' | 'value' | 'gap',
): string {
  const { files, metrics, session } = context;
  if (!session.trusted)
    return `**${escape(task)}** Checkpoints are read only in a trusted workspace.`;
  const loaded = files.loaded(analysis);
  const expert = loaded?.checkpoints.find(({ role }) => role === task);
  const answer = metrics.report(analysis);
  const head = `**${escape(task)}** · ${expert ? expertText(loaded, expert) : 'reading headers …'}`;
  const numbersKnown = answer.state === 'ready' && answer.report.tasks.includes(task);
  const links = `\u2002${metricsLinks(context, analysis)}`;
  if (part === 'key' && numbersKnown)
    return `**${escape(task)}** · ${settings(analysis, task)}${links}\n\n${taskTables(answer, task)}`;
  const first = `${head}${links}`.trimEnd();
  const rest = [...(expert ? [code(expert.path)] : []), waitingText(answer)];
  return [first, ...rest.filter((text) => text !== '')].join('\n\n');
}

/** What the numbers depend on: `ties, α 1, λ 0.6`. */
function settings(analysis: Analysis, task: string): string {
  const { merge, masks } = resolveRecipe(analysis.recipe);
  const alpha = typeof merge.alpha === 'number' ? `, α ${String(merge.alpha)}` : '';
  const lambda = masks !== 'none' && masks.rule === 'tall' ? masks.lambda[task] : undefined;
  return `${merge.method}${alpha}${lambda === undefined ? '' : `, λ ${String(lambda)}`}`;
}

function expertText(loaded: LoadedFiles | undefined, expert: NamedCheckpoint): string {
  if (!expert.checkpoint) return escape(expert.error?.message ?? 'cannot be read');
  const base = loaded?.checkpoints.find(({ role }) => role === 'base')?.checkpoint;
  const text = summary(expert.checkpoint);
  return base ? `${text}${differences(base, expert.checkpoint)}` : text;
}

/** What the headers tell of the difference from the base: names, shapes and dtypes. */
function differences(base: Checkpoint, expert: Checkpoint): string {
  const more = [...expert.tensors.keys()].filter((name) => !base.tensors.has(name)).length;
  const fewer = [...base.tensors.keys()].filter((name) => !expert.tensors.has(name)).length;
  const other = [...expert.tensors.values()].filter(({ name, shape, dtype }) => {
    const own = base.tensors.get(name);
    return own && (own.shape.join() !== shape.join() || own.dtype !== dtype);
  }).length;
  const parts = [
    ...(more > 0 ? [`${String(more)} not in the base`] : []),
    ...(fewer > 0 ? [`${String(fewer)} only in the base`] : []),
    ...(other > 0 ? [`${String(other)} of another shape or dtype`] : []),
  ];
  return parts.length === 0 ? ' · the same tensors as the base' : ` · ${parts.join(', ')}`;
}
