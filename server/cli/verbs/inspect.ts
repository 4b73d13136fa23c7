import { usage } from '../arguments';
import { checkRecipeFile } from '../../jobs/check-recipe';
import { executeMerge } from '../../jobs/execute';
import { openCheckpoint } from '../../tensors/checkpoint';
import { elementBytes } from '../../tensors/dtypes';
import { describeTensor, detectLayout } from '../../tensors/modules';
import type { Checkpoint } from '../../tensors/types';
import { problemLines } from '../problems';
import { refused } from '../refused';
import { blockTable, componentTable } from '../report/document';
import { toText } from '../report/formats';
import { formatPairs, formatTable } from '../table';
import { formatBytes, formatCount } from '../units';
import { exitCodes, type Call, type Outcome } from '../verb';
import { inspectSample, lambdaGrid } from './inspect-sample';
import { inspectSpectrum } from './inspect-spectrum';

export function run(call: Call): Promise<Outcome> {
  const path = call.operands[0] ?? '';
  return /\.ya?ml$/i.test(path) ? inspectRecipe(path, call) : inspectCheckpoint(path, call);
}

/** Conflict metrics of a recipe's experts: from a sample, or read in full. Nothing is written. */
async function inspectRecipe(path: string, call: Call): Promise<Outcome> {
  const { signal, terminal, options } = call;
  const grid = lambdaGrid(options.text('lambda'));
  checkForms(call, grid !== undefined);
  const checked = await checkRecipeFile(path, { signal });
  if (!checked.plan || !checked.inputs) return refused(checked, call);
  if (checked.problems.length > 0)
    terminal.note(problemLines(checked.problems, checked.path, terminal.noteStyle));
  const { layout } = checked.inputs;
  const { plan } = checked;
  if (options.flag('spectrum')) return inspectSpectrum(checked, plan, call);
  if (!options.flag('exact')) return inspectSample({ path, layout, plan, grid }, call);
  const { run } = checked.recipe;
  const report = await executeMerge(plan, {
    directory: '',
    write: false,
    threads: run.threads,
    memory: run.memory,
    signal,
    onEvent: (event) => {
      if (event.type === 'progress') terminal.progress.update(event);
    },
  });
  const document = {
    title: path,
    facts: [
      ['layout', layout],
      ['tasks', report.tasks.join(', ')],
      ['figures', 'exact'],
    ] as const,
    tables: [componentTable(report), blockTable(report)],
  };
  return {
    code: exitCodes.done,
    json: { layout, ...report },
    text: toText(document, terminal.style),
  };
}

function checkForms({ options, terminal }: Call, hasGrid: boolean): void {
  if (hasGrid && options.flag('exact'))
    throw usage('--lambda follows the sample; leave --exact out, or inspect one λ at a time');
  if (options.flag('lines') && (!options.flag('spectrum') || terminal.options.json))
    throw usage('--lines is a form of --spectrum, and takes the place of --json');
  if (options.flag('known') && (!options.flag('spectrum') || options.text('cache') === undefined))
    throw usage('--known shows what --spectrum has left in its --cache');
}

interface ComponentSize {
  readonly component: string;
  readonly blocks: number;
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

/** What a checkpoint is, from its headers. */
async function inspectCheckpoint(path: string, { signal, terminal }: Call): Promise<Outcome> {
  const checkpoint = await openCheckpoint(path, { signal });
  const layout = detectLayout(checkpoint);
  const components = componentsOf(checkpoint, layout);
  const bytes = components.reduce((sum, component) => sum + component.bytes, 0);
  const elements = components.reduce((sum, component) => sum + component.elements, 0);
  const dtypes = [...new Set([...checkpoint.tensors.values()].map(({ dtype }) => dtype))];
  const facts = [
    ['layout', layout],
    ['files', String(checkpoint.files.length)],
    ['tensors', String(checkpoint.tensors.size)],
    ['elements', formatCount(elements)],
    ['size', formatBytes(bytes)],
    ['dtypes', dtypes.join(', ')],
    ['embeddings', checkpoint.tiedEmbeddings ? 'tied to the output layer' : 'on their own'],
  ] as const;
  const columns = [
    { title: 'component' },
    { title: 'blocks', align: 'right' },
    { title: 'tensors', align: 'right' },
    { title: 'elements', align: 'right' },
    { title: 'size', align: 'right' },
  ] as const;
  const rows = components.map((row) => [
    row.component,
    row.blocks > 0 ? String(row.blocks) : '',
    String(row.tensors),
    formatCount(row.elements),
    formatBytes(row.bytes),
  ]);
  return {
    code: exitCodes.done,
    json: {
      path: checkpoint.path,
      layout,
      dtypes,
      tied_embeddings: checkpoint.tiedEmbeddings,
      elements,
      bytes,
      components,
      tensors: [...checkpoint.tensors.values()].map((info) => ({
        name: info.name,
        ...describeTensor(info.name, layout),
        dtype: info.dtype,
        shape: info.shape,
      })),
    },
    text: `${formatPairs(facts, terminal.style)}\n\n${formatTable(columns, rows, terminal.style)}`,
  };
}

function componentsOf(
  checkpoint: Checkpoint,
  layout: ReturnType<typeof detectLayout>,
): ComponentSize[] {
  const found = new Map<string, ComponentSize>();
  for (const info of checkpoint.tensors.values()) {
    const { component, block } = describeTensor(info.name, layout);
    const before = found.get(component) ?? {
      component,
      blocks: 0,
      tensors: 0,
      elements: 0,
      bytes: 0,
    };
    found.set(component, {
      component,
      blocks: Math.max(before.blocks, (block ?? -1) + 1),
      tensors: before.tensors + 1,
      elements: before.elements + info.elements,
      bytes: before.bytes + info.elements * elementBytes(info.dtype),
    });
  }
  return [...found.values()];
}
