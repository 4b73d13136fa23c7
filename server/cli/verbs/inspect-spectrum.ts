import type { CheckedRecipe } from '../../jobs/check-recipe';
import { measureSpectra } from '../../jobs/spectrum-job';
import { openSpectrumStore } from '../../jobs/spectrum-store';
import type { SpectrumLine, SpectrumReport } from '../../protocol/spectrum';
import type { MergePlan } from '../../engine/plan-types';
import { wholeNumber } from '../numbers';
import { shortPath } from '../paths';
import { formatPairs, formatTable } from '../table';
import { formatBytes } from '../units';
import { exitCodes, type Call, type Outcome } from '../verb';

/** Singular spectra of the task vectors, matrix by matrix. */
export async function inspectSpectrum(
  { recipe, path }: CheckedRecipe,
  plan: MergePlan,
  call: Call,
): Promise<Outcome> {
  const { options, terminal, signal } = call;
  const k = wholeNumber(options, 'rank', { least: 1, otherwise: 8 });
  const cache = options.text('cache');
  const lines = options.flag('lines');
  const print = (line: SpectrumLine): void => {
    if (lines) terminal.print(JSON.stringify(line));
  };
  let [done, total] = [0, 0];
  const report = await measureSpectra(plan, {
    only: options.list('only'),
    k,
    threads: recipe.run.threads,
    memory: recipe.run.memory,
    store: cache === undefined ? undefined : await openSpectrumStore(cache, plan, k),
    known: options.flag('known'),
    signal,
    onScope: (scope) => {
      total = scope.matrices;
      print({ type: 'scope', scope });
    },
    onMatrix: (tensor) => {
      print({ type: 'matrix', tensor });
      terminal.progress.update({ phase: 'spectrum', done: ++done, total, unit: 'tensors' });
    },
  });
  if (lines) return { code: exitCodes.done, json: undefined, text: '' };
  return { code: exitCodes.done, json: report, text: asText(report, path, call) };
}

function asText(report: SpectrumReport, path: string, { terminal, options }: Call): string {
  const { tasks, k, tensors, skipped } = report;
  const pairs = tasks.flatMap((a, i) => tasks.slice(i + 1).map((b) => `${a}|${b}`));
  const columns = [
    { title: 'tensor' },
    ...['directions', 'rank Σ', 'eff. rank Σ', 'weak Σ', ...tasks, ...pairs].map((title) => ({
      title,
      align: 'right' as const,
    })),
  ];
  const rows = tensors.map((tensor) => [
    tensor.name,
    String(tensor.directions),
    String(tensor.sum.rank),
    tensor.sum.effective_rank.toFixed(1),
    percent(tensor.sum.weak),
    ...tensor.tasks.map((spectrum) => spectrum.effective_rank.toFixed(1)),
    ...tensor.overlaps.map(({ shares }) => percent(shares.at(-1) ?? 0)),
  ]);
  const facts = formatPairs(
    [
      ['recipe', shortPath(path)],
      ['tasks', `${tasks.join(', ')} (effective rank of each)`],
      ['pairs', `overlap of the leading ${k} right singular vectors, mean squared cosine`],
      ['weak', 'share of directions below 1e-3 of the largest singular value'],
    ],
    terminal.style,
  );
  const notes = skipped.map(({ name, bytes }) => `${name} needs ${formatBytes(bytes)}: left out`);
  const all = options.list('only').length > 0 ? 'matrix that --only names' : 'matrix';
  const table =
    tensors.length > 0
      ? formatTable(columns, rows, terminal.style)
      : `no ${all} differs from the base`;
  return [facts, '', table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
