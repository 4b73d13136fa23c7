import { isActive, runKey } from '../../server/protocol/events';
import {
  EventEmitter,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeDataProvider,
} from 'vscode';
import type { PhaseSummary, RunSummary } from '../../server/protocol/methods';
import { formatDuration, formatProgress, formatSpeed } from '../format';
import type { Runs } from '../runs';

type Node = RunNode | PhaseNode;

export interface RunsTree extends TreeDataProvider<Node> {
  /** Tells the ages of the runs anew. */
  refresh(): void;
}

/** Runs, newest first; a run's children are its phases. */
export function createRunsTree(runs: Runs): RunsTree {
  const changed = new EventEmitter<undefined>();
  runs.onDidChange(() => changed.fire(undefined));
  return {
    onDidChangeTreeData: changed.event,
    refresh: () => changed.fire(undefined),
    getTreeItem: (node) => node,
    getChildren: (node) => {
      if (!node) return runs.list().map((run) => new RunNode(run));
      return node instanceof RunNode ? phases(node.run) : [];
    },
  };
}

class RunNode extends TreeItem {
  constructor(readonly run: RunSummary) {
    super(
      run.name,
      isActive(run) ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed,
    );
    this.id = runKey(run.path);
    this.description = describe(run);
    this.iconPath = icons[run.state];
    this.contextValue = isActive(run) ? 'run-running' : `run-${run.state}`;
    this.tooltip = tooltip(run);
    this.accessibilityInformation = { label: `${run.name}, ${run.state}, ${this.description}` };
  }
}

class PhaseNode extends TreeItem {
  constructor(phase: PhaseSummary, detail: string) {
    super(phase.name);
    this.description = detail;
    this.iconPath = phaseIcons[phase.state];
  }
}

const good = new ThemeIcon('check', new ThemeColor('testing.iconPassed'));
const bad = new ThemeIcon('error', new ThemeColor('testing.iconFailed'));
const stopped = new ThemeIcon('circle-slash');
const working = new ThemeIcon('loading~spin');

const icons: Record<RunSummary['state'], ThemeIcon> = {
  queued: new ThemeIcon('clock'),
  running: working,
  cancelling: working,
  done: good,
  failed: bad,
  cancelled: stopped,
  interrupted: new ThemeIcon('debug-disconnect'),
};

const phaseIcons: Record<PhaseSummary['state'], ThemeIcon> = {
  started: working,
  done: good,
  failed: bad,
  cancelled: stopped,
};

function describe(run: RunSummary): string {
  if (run.state === 'running' && run.progress) return formatProgress(run.progress);
  if (run.state === 'failed' && run.error) return run.error.message;
  const last = run.phases.at(-1)?.name;
  const what =
    run.state === 'cancelled'
      ? `stopped${last === undefined ? '' : ` in ${last}`}`
      : run.state === 'done'
        ? run.headline
        : run.state;
  return [what, age(run)].filter((part) => part !== undefined).join(' · ');
}

function age(run: RunSummary): string | undefined {
  const time = run.ended ?? run.started;
  if (time === undefined || isActive(run)) return undefined;
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  return seconds < 60 ? 'now' : formatDuration(seconds);
}

function phases(run: RunSummary): Node[] {
  const nodes = run.phases.map((phase) => {
    const progress = run.progress?.phase === phase.name ? run.progress : undefined;
    const detail =
      phase.state === 'started' && progress
        ? formatProgress(progress).replace(`${phase.name} `, '')
        : phase.seconds === undefined
          ? phase.state
          : formatDuration(phase.seconds);
    return new PhaseNode(phase, detail);
  });
  if (run.device === undefined) return nodes;
  const device = new TreeItem(run.device.toUpperCase());
  device.iconPath = new ThemeIcon('chip');
  device.description = (run.progress && formatSpeed(run.progress)) ?? '';
  return [...nodes, device];
}

function tooltip(run: RunSummary): MarkdownString {
  const text = new MarkdownString();
  const facts = [run.state, ...(run.headline === undefined ? [] : [run.headline])].join(' · ');
  const old = age(run);
  const ended = old === undefined ? '' : ` · ${old === 'now' ? old : `${old} ago`}`;
  text.appendMarkdown('**').appendText(run.name).appendMarkdown(`** · ${facts}${ended}\n\n`);
  if (run.error) text.appendText(`${run.error.message} [${run.error.code}]`).appendMarkdown('\n\n');
  text.appendCodeblock(run.path, 'text');
  return text;
}
