import {
  EventEmitter,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  window,
  workspace,
  type Disposable,
  type TextDocument,
  type TextEditor,
  type TreeDataProvider,
  type Uri,
} from 'vscode';
import type { CheckpointSummary } from '../../server/protocol/methods';
import type { Server } from '../client';
import { formatBytes } from '../format';
import { isRecipe } from '../recipes';

export interface CheckpointsTree extends TreeDataProvider<TreeItem>, Disposable {
  refresh(): void;
}

/** The checkpoints of the recipe in the editor (or the last one that was), missing ones last. */
export function createCheckpointsTree(server: Server): CheckpointsTree {
  const changed = new EventEmitter<undefined>();
  const refresh = (): void => changed.fire(undefined);
  let recipe: Uri | undefined;
  const follow = (document: TextDocument | undefined): void => {
    if (!document || !isRecipe(document)) return;
    recipe = document.uri;
    refresh();
  };
  // A window that opens with a panel in front has no active editor, though recipes are in sight.
  const lookAround = (editors: readonly TextEditor[]): void => {
    if (!recipe) follow(editors.find(({ document }) => isRecipe(document))?.document);
  };
  follow(window.activeTextEditor?.document);
  lookAround(window.visibleTextEditors);
  const subscriptions = [
    window.onDidChangeActiveTextEditor((editor) => follow(editor?.document)),
    window.onDidChangeVisibleTextEditors(lookAround),
    workspace.onDidSaveTextDocument(follow),
    server.onDidChangeState((state) => {
      if (state === 'running') refresh();
    }),
    changed,
  ];
  return {
    onDidChangeTreeData: changed.event,
    refresh,
    getTreeItem: (item) => item,
    getChildren: async (item) => {
      const active = window.activeTextEditor?.document;
      const uri = active && isRecipe(active) ? active.uri : recipe;
      if (item || !uri || server.state !== 'running' || !workspace.isTrusted) return [];
      const found = await server.request('mergevla/checkpoint/list', { uri: uri.toString() });
      return [...found].sort(missingLast).map((checkpoint) => new CheckpointNode(checkpoint, uri));
    },
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}

const missingLast = (a: CheckpointSummary, b: CheckpointSummary): number =>
  Number(a.state !== 'found') - Number(b.state !== 'found');

class CheckpointNode extends TreeItem {
  readonly role: string;

  constructor(
    checkpoint: CheckpointSummary,
    readonly recipe: Uri,
  ) {
    super(checkpoint.role);
    this.role = checkpoint.role;
    const size = checkpoint.bytes === undefined ? undefined : formatBytes(checkpoint.bytes);
    const missing = checkpoint.state === 'missing' ? 'not found' : checkpoint.state;
    this.description =
      checkpoint.state === 'found'
        ? [checkpoint.written, size].filter((part) => part !== undefined).join(' · ')
        : `${missing} · ${checkpoint.written}`;
    this.tooltip = [checkpoint.reason ?? checkpoint.path, facts(checkpoint)].join('\n').trimEnd();
    this.iconPath = icon(checkpoint);
    this.contextValue = `checkpoint-${checkpoint.state}`;
    this.command = {
      command: 'mergevla.openCheckpoint',
      title: 'Show Checkpoint in Recipe',
      arguments: [this],
    };
  }
}

function facts({ tensors, dtype }: CheckpointSummary): string {
  const counted = tensors === undefined ? [] : [`${tensors.toLocaleString('en-US')} tensors`];
  return [...counted, ...(dtype === undefined ? [] : [dtype])].join(', ');
}

/** Markers of the tasks, in recipe order, as the panels draw them. */
const markers = [
  'circle-filled',
  'primitive-square',
  'triangle-up',
  'debug-breakpoint-log',
  'close',
  'triangle-down',
];

function icon({ state, task }: CheckpointSummary): ThemeIcon {
  if (state !== 'found') return new ThemeIcon('warning', new ThemeColor('list.warningForeground'));
  if (task === undefined) return new ThemeIcon('database');
  const color = new ThemeColor(`mergevla.task${String((task % markers.length) + 1)}`);
  return new ThemeIcon(markers[task % markers.length] ?? 'circle-filled', color);
}
