import { runMerge, type MergeOutcome } from '../../jobs/merge-job';
import { Cancelled } from '../../protocol/merge-error';
import type { MergeReport } from '../../protocol/report';
import { flatParameters } from '../../runs/flat';
import { readRun } from '../../runs/read';
import { mergeRequest } from '../merge-request';
import { shortPath } from '../paths';
import { problemJson } from '../problems';
import { refused } from '../refused';
import { componentTable, makeDocument } from '../report/document';
import { toText } from '../report/formats';
import { positiveNumber } from '../numbers';
import { exitCodes, type Call, type Outcome } from '../verb';

export async function run(call: Call): Promise<Outcome> {
  const { operands, options, terminal } = call;
  const request = mergeRequest(call, 'merging into');
  let started: string | undefined;
  const outcome = await runMerge({
    ...request,
    only: options.text('only'),
    allowNonfinite: options.flag('allow-nonfinite'),
    acceptHours: positiveNumber(options, 'accept-hours'),
    onStart: (path, problems) => {
      started = path;
      request.onStart?.(path, problems);
    },
  }).catch((error: unknown) => {
    if (error instanceof Cancelled && started !== undefined)
      terminal.note(
        `mergevla merge ${operands[0] ?? ''} --out ${shortPath(started)} goes on with it`,
      );
    throw error;
  });
  return outcome.kind === 'refused' ? refused(outcome.checked, call) : done(outcome, call);
}

async function done(
  { path, report, checked }: Extract<MergeOutcome, { kind: 'done' }>,
  { terminal }: Call,
): Promise<Outcome> {
  const summary = await readRun(path);
  const { recipe, problems } = checked;
  const parameters = flatParameters(recipe);
  const { title, facts } = makeDocument([{ run: summary, report, parameters }]);
  const shown = { title, facts, tables: [componentTable(report, true)] };
  return {
    code: exitCodes.done,
    json: {
      run: path,
      id: summary.id,
      state: summary.state,
      problems: problems.map((problem) => problemJson(problem, checked.path)),
      timings: summary.record.timings,
      ...totals(report),
    },
    text: `${toText(shown, terminal.style)}\n\n${terminal.style.green('merged')} into ${shortPath(path)}`,
    quiet: path,
  };
}

function totals({ tasks, components, total }: MergeReport): object {
  return { tasks, components, total };
}
