import { protocolLine } from '../evaluate/rates/protocol';
import { summarizeRates, type RateTableData } from '../evaluate/rates/summary';
import { runEvaluation, type EvaluationState } from '../jobs/evaluate-job';
import type { MergeReport } from '../protocol/report';
import type { Evaluate } from '../recipe/schema';
import { readReport, readRun, type RunSummary } from '../runs/read';
import { shortPath } from './paths';
import { componentTable, makeDocument } from './report/document';
import { toText } from './report/formats';
import { ratesText } from './report/success';
import type { Style } from './style';
import { formatSeconds } from './units';
import { workersOption } from './evaluation-options';
import { exitCodes, type Call, type Outcome } from './verb';

export interface Evaluation {
  readonly run: string;
  readonly changes: Partial<Evaluate>;
  /** Merged parameters are part of what is printed. */
  readonly report?: boolean;
}

/** Rolls a run out with a table that fills up, and answers with the table. */
export async function evaluateRun(
  call: Call,
  { run, changes, report }: Evaluation,
): Promise<Outcome> {
  const { terminal, options, signal, command, version } = call;
  const show = liveTable(call);
  const state = await runEvaluation({
    run,
    evaluate: changes,
    workers: workersOption(options),
    device: options.text('device'),
    command,
    version,
    signal,
    onEpisodes: show,
    onWarning: (code, message) => terminal.note(`warning: ${message} [${code}]`),
  });
  terminal.area.clear();
  const summary = await readRun(run);
  const table = summarizeRates(state.lines, state.record.tasks);
  const merged = report === true ? await readReport(summary) : undefined;
  const { style } = terminal;
  const parts = [
    ...(merged ? [mergedText(summary, merged, style)] : []),
    `${style.bold('Success rates')}  ${style.dim(protocolLine(state.record))}`,
    ratesText(table, style),
    `${style.green('evaluated')} ${shortPath(summary.folder)}`,
  ];
  const { settings, tasks, episodes, seeds, criteria } = state.record;
  return {
    code: exitCodes.done,
    json: {
      run: summary.folder,
      id: summary.id,
      state: summary.state,
      ...settings,
      range: settings.range ?? 'test',
      episodes,
      seeds,
      criteria,
      tasks,
      policies: state.record.policies,
      rates: table.cells,
      averages: table.averages,
      timings: summary.record.timings,
    },
    text: parts.join('\n\n').replace('\n\n', merged ? '\n\n' : '\n'),
    quiet: summary.folder,
  };
}

function mergedText(run: RunSummary, report: MergeReport, style: Style): string {
  const document = makeDocument([{ run, report, parameters: {} }]);
  return toText({ ...document, facts: [], tables: [componentTable(report, true)] }, style);
}

/** On a terminal the table is drawn over itself; elsewhere every finished cell gives a line. */
function liveTable({ terminal }: Call): (state: EvaluationState) => void {
  const started = performance.now();
  let known: number | undefined;
  const told = new Set<string>();
  return (state) => {
    const { lines, total, record } = state;
    known ??= lines.length;
    const table = summarizeRates(lines, record.tasks);
    if (terminal.area.live) {
      const seconds = (performance.now() - started) / 1000;
      const rate = (lines.length - known) / seconds;
      const left = rate > 0 ? `, ${formatSeconds((total - lines.length) / rate)} left` : '';
      const counts = `${lines.length} of ${total} episodes${left}`;
      terminal.area.draw([
        ...ratesText(table, terminal.noteStyle).split('\n'),
        terminal.noteStyle.dim(counts),
      ]);
      return;
    }
    tellCells(table, { episodes: record.episodes, told, note: (text) => terminal.note(text) });
  };
}

interface Told {
  readonly episodes: number;
  readonly told: Set<string>;
  readonly note: (text: string) => void;
}

function tellCells({ cells }: RateTableData, { episodes, told, note }: Told): void {
  for (const { policy, expert, task, successes, trials, errors } of cells) {
    const name = `${policy}${expert === undefined ? '' : ` (${expert})`} ${task}`;
    if (trials + errors < episodes || told.has(name)) continue;
    told.add(name);
    note(`${name}: ${successes}/${trials}${errors > 0 ? `, ${errors} crashed` : ''}`);
  }
}
