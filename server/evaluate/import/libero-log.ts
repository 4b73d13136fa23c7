import type { Imported, ImportedEpisode, ImportedRun, ImportOptions, ResultFile } from './types';
import { refuse } from './types';

/**
 * The text logs of OpenVLA, OpenVLA-OFT, MergeVLA, VLA-Adapter and openpi on LIBERO: the same messages,
 * with or without a stamp before each line. Episodes are counted from their `Success:` lines, because an
 * aborted log has no summary and printed rates are rounded.
 */
export function readLiberoLog(file: ResultFile, options: ImportOptions): Imported {
  const log = new LogReader();
  for (const line of file.text.split(/\r?\n/)) log.read(strip(line));
  if (log.suites.length > 1)
    return refuse(
      `${file.name} holds ${String(log.suites.length)} evaluations (${log.suites.join(', ')}); split it and import them one by one`,
    );
  const rollouts = log.rollouts.length > 0 ? log.rollouts : log.videos;
  if (rollouts.length === 0)
    return refuse(`${file.name} is a LIBERO log in which no episode was finished`);
  return { run: finish(file, options, log, rollouts) };
}

/** Whether a text holds messages of this family. */
export function looksLikeLiberoLog(text: string): boolean {
  return (
    /^(?:.*?-+> |.*\| >> |INFO:\w*:)?\s*(?:Task suite: \S|Starting episode \d|Success: (?:True|False)\s*$)/m.test(
      text,
    ) || /--episode=\d+--success=(?:True|False)--task=/.test(text)
  );
}

interface Rollout {
  readonly task: string;
  readonly success: boolean;
  readonly error?: string;
}

const stamp = /^\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d -+> /;
const rich = /^(?:\d\d\/\d\d \[?[\d: ]+\]?)?\s*INFO\s+\|\s>>\s/;
const logging = /^(?:\[[^\]]*\]\s*)?(?:INFO|WARNING|ERROR):[\w.]*:/;

function strip(line: string): string {
  // Colour codes of a terminal, then whichever logger's prefix the line has.
  // eslint-disable-next-line no-control-regex
  const plain = line.replace(/\u001b\[[0-9;]*m/g, '');
  return plain.replace(stamp, '').replace(rich, '').replace(logging, '').trim();
}

/** Reads one message after another; what it does not know it skips. */
class LogReader {
  readonly suites: string[] = [];
  readonly rollouts: Rollout[] = [];
  readonly videos: Rollout[] = [];
  readonly tasks = new Set<string>();
  identity: string | undefined;
  expert: number | undefined;
  trials: number | undefined;
  taskCount: number | undefined;
  checkpoint: string | undefined;
  counted: number | undefined;
  summary: { episodes?: number; successes?: number } | undefined;
  stamped = false;
  private task = '';
  private error: string | undefined;

  read(line: string): void {
    for (const [pattern, action] of this.messages) {
      const match = pattern.exec(line);
      if (!match) continue;
      action(match[1] ?? '', match[2], match[3]);
      return;
    }
  }

  private readonly messages: readonly (readonly [
    RegExp,
    (a: string, b?: string, c?: string) => void,
  ])[] = [
    [/^Task suite: (\S+)$/, (suite) => this.suites.push(suite)],
    [/^Task suite identity: (.+)$/, (name) => (this.identity = suiteName(name))],
    [/^Expert idx: (\d+)/, (index) => (this.expert = Number(index))],
    [/^Num trials per task: (\d+)/, (count) => (this.trials = Number(count))],
    [/^Checkpoint path: (.+)$/, (path) => (this.checkpoint = path)],
    [/^Task: (.+?)(?: \[(\d+) ?\/ ?(\d+)\])?$/, (task, _, count) => this.startTask(task, count)],
    [
      /^Starting episode (\d+)\.\.\.(?: \((\d+) in total\))?/,
      (_, count) => (this.trials = count ? Number(count) : this.trials),
    ],
    [/^(?:Episode error|Caught exception): ?(.*)$/, (text) => (this.error = text || 'error')],
    [/^Success: (True|False)$/, (word) => this.endEpisode(word === 'True')],
    [/^# episodes completed so far: (\d+)/, (count) => (this.counted = Number(count))],
    [/^Final results:/, () => (this.summary = {})],
    [
      /^Total episodes: (\d+)/,
      (count) => (this.summary = { ...this.summary, episodes: Number(count) }),
    ],
    [
      /^Total successes: (\d+)/,
      (count) => (this.summary = { ...this.summary, successes: Number(count) }),
    ],
    [/^Total success rate: [\d.]+/, () => (this.summary = { ...this.summary })],
    [
      /--episode=\d+--success=(True|False)--task=([^.\s]+)/,
      (word, task) =>
        this.videos.push({ task: (task ?? '').replace(/_/g, ' '), success: word === 'True' }),
    ],
  ];

  private startTask(task: string, count: string | undefined): void {
    this.task = task;
    this.tasks.add(task);
    if (count) this.taskCount = Number(count);
  }

  private endEpisode(success: boolean): void {
    const error = this.error === undefined ? {} : { error: this.error };
    this.rollouts.push({ task: this.task || 'task', success, ...error });
    this.error = undefined;
  }
}

/** `TaskSuite.LIBERO_GOAL` and `libero_goal` are the same suite. */
function suiteName(text: string): string {
  return (text.trim().split('.').at(-1) ?? text).toLowerCase();
}

function finish(
  file: ResultFile,
  options: ImportOptions,
  log: LogReader,
  rollouts: readonly Rollout[],
): ImportedRun {
  const suite = log.suites[0];
  const routing =
    log.identity !== undefined && suite !== undefined
      ? {
          expected: suite,
          routed: log.identity,
          ...(log.expert === undefined ? {} : { index: log.expert }),
        }
      : undefined;
  const numbers = new Map<string, number>();
  const policy = options.policy ?? policyName(file.name, log.checkpoint);
  const episodes = rollouts.map((rollout): ImportedEpisode => {
    const episode = numbers.get(rollout.task) ?? 0;
    numbers.set(rollout.task, episode + 1);
    return {
      policy,
      ...(suite === undefined ? {} : { suite }),
      ...rollout,
      episode,
      ...(routing ? { routed: routing.routed } : {}),
    };
  });
  const partial = whatIsMissing(log, episodes);
  return {
    format: formatOf(file, log),
    file: file.name,
    episodes,
    counts: [],
    ...(partial === undefined ? {} : { partial }),
    ...(routing ? { routing } : {}),
    warnings:
      routing && routing.routed !== routing.expected
        ? [`${file.name}: the router chose ${routing.routed} for ${routing.expected}`]
        : [],
  };
}

function whatIsMissing(log: LogReader, episodes: readonly ImportedEpisode[]): string | undefined {
  const n = episodes.length;
  const s = episodes.filter((episode) => episode.success).length;
  const promised = { episodes: n, successes: s, ...log.summary };
  const expected = log.summary?.episodes ?? plannedEpisodes(log);
  if (expected !== undefined && expected !== n)
    return `${String(n)} of ${String(expected)} episodes are in the log`;
  if (promised.successes !== s)
    return `the summary counts ${String(promised.successes)} successes, the episodes ${String(s)}`;
  if (log.counted !== undefined && log.counted !== n)
    return `the log counts ${String(log.counted)} episodes, ${String(n)} are in it`;
  return expected === undefined && !log.summary ? 'the log has no summary' : undefined;
}

function plannedEpisodes(log: LogReader): number | undefined {
  if (log.taskCount === undefined || log.trials === undefined) return undefined;
  return log.taskCount * log.trials;
}

function formatOf(file: ResultFile, log: LogReader): ImportedRun['format'] {
  if (
    log.identity !== undefined ||
    stamp.test(firstStamped(file.text)) ||
    /mergevla/i.test(file.name)
  )
    return 'mergevla';
  if (/^\s*(?:INFO:\w*:)?\s*Total success rate:/m.test(file.text)) return 'openpi';
  return log.summary ? 'openvla-oft' : 'openvla';
}

function firstStamped(text: string): string {
  return text.split(/\r?\n/, 50).find((line) => stamp.test(line)) ?? '';
}

/** The checkpoint's folder where the log names it, else the family in the file's name. */
function policyName(name: string, checkpoint: string | undefined): string {
  const folder = checkpoint
    ?.replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1);
  if (folder) return folder;
  const stem = name.replace(/\.[^.]+$/, '');
  return /^EVAL-[^-]+-([^-]+)-/.exec(stem)?.[1] ?? stem;
}
