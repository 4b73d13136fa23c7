import type { Imported, ImportedCounts, ImportOptions, ResultFile } from './types';
import { refuse } from './types';

/** Whether a text is RoboTwin's `_result.txt`, or the console line with the counts. */
export function looksLikeRobotwin(text: string): boolean {
  return /^Instruction Type: /m.test(text) || /^Final success rate: \d+\/\d+/m.test(text);
}

/**
 * RoboTwin's result: bare fractions, one for each batch of seeds. The file holds no number of rollouts,
 * so the caller says it; a fraction that is no whole count of that many rollouts is refused.
 */
export function readRobotwin(file: ResultFile, options: ImportOptions): Imported {
  const policy = options.policy ?? 'robotwin';
  const task = taskName(file.name);
  const console = [...file.text.matchAll(/^Final success rate: (\d+)\/(\d+)/gm)];
  if (console.length > 0) {
    const counts = console.map(([, s, n]) => count(policy, task, Number(s), Number(n)));
    return finish(file, counts);
  }
  const rates = file.text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^(?:0(?:\.\d+)?|1(?:\.0+)?)$/.test(line))
    .map(Number);
  if (rates.length === 0) return refuse(`${file.name} ends before its success rate`);
  const trials = options.trials;
  if (trials === undefined)
    return refuse(
      `${file.name} holds a rate but no number of rollouts; say it with --trials (RoboTwin's default is 100)`,
    );
  const odd = rates.find((rate) => Math.abs(rate * trials - Math.round(rate * trials)) > 0.01);
  if (odd !== undefined)
    return refuse(
      `${file.name} says ${String(odd)}, which is no whole number of ${String(trials)} rollouts`,
    );
  return finish(
    file,
    rates.map((rate) => count(policy, task, Math.round(rate * trials), trials)),
  );
}

function count(policy: string, task: string, successes: number, trials: number): ImportedCounts {
  return { policy, task, successes, trials };
}

/** Batches of one file are one task: their counts add up. */
function finish(file: ResultFile, counts: readonly ImportedCounts[]): Imported {
  const [first] = counts;
  if (!first) return refuse(`${file.name} holds no rate`);
  const sum = (pick: (item: ImportedCounts) => number) =>
    counts.reduce((total, item) => total + pick(item), 0);
  const total = { ...first, successes: sum((c) => c.successes), trials: sum((c) => c.trials) };
  if (total.successes > total.trials)
    return refuse(`${file.name} counts more successes than rollouts`);
  return {
    run: { format: 'robotwin', file: file.name, episodes: [], counts: [total], warnings: [] },
  };
}

/** `eval_result/<task>/<policy>/…/_result.txt`: the first folder below `eval_result` is the task. */
function taskName(path: string): string {
  const parts = path.split(/[/\\]/);
  const root = parts.lastIndexOf('eval_result');
  return (root >= 0 ? parts[root + 1] : undefined) ?? 'task';
}
