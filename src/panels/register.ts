import { Uri, window, workspace, type Disposable } from 'vscode';
import { runCommand } from '../command-line';
import type { Commands, Parts } from '../commands/context';
import { runPath } from '../commands/jobs';
import type { RoutedObservation } from '../commands/policies';
import { chooseRecipe } from '../recipes';
import { maskRatioPanel } from './mask-ratios';
import { createPanelHost } from './panel';
import { routingPanel } from './routing';
import { successPanel } from './success-rates';

interface Panels {
  readonly commands: Commands;
  readonly disposable: Disposable;
  readonly showRouting: (shown: RoutedObservation) => void;
}

/** The panels, restored after a reload, and the commands that show them. */
export function createPanels(parts: Parts): Panels {
  const { context, logs } = parts;
  const masks = createPanelHost(maskRatioPanel(parts), context, logs);
  const routing = createPanelHost(routingPanel(parts), context, logs);
  const success = createPanelHost(successPanel(parts), context, logs);
  const commands: Commands = {
    'mergevla.showMaskRatios': async (recipe) => {
      const uri = await chooseRecipe(parts.server, recipe);
      if (uri) masks.show(uri.toString(), true);
    },
    'mergevla.showRouting': (run) => {
      routing.show(runPath(run));
    },
    'mergevla.showSuccessRates': () => {
      success.show();
    },
    'mergevla.compareRuns': (first, all) => {
      const chosen = Array.isArray(all) ? all : [first];
      const paths = chosen.map(runPath).filter((path) => path !== undefined);
      success.show(paths.length > 0 ? paths : undefined);
    },
    'mergevla.replayEpisode': () => {
      success.show();
    },
    'mergevla.importResults': async (files) => {
      const imported = await importResults(parts, files);
      if (imported !== undefined) success.show();
      return imported;
    },
  };
  return {
    commands,
    showRouting: (shown) => {
      routing.show(shown);
    },
    disposable: {
      dispose: () => {
        for (const host of [masks, routing, success]) host.dispose();
      },
    },
  };
}

/** Turns logs of other harnesses into a run directory beside the workspace's own runs. */
async function importResults(parts: Parts, files: unknown): Promise<string | undefined> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  if (!folder || !workspace.isTrusted) return undefined;
  const paths = isPaths(files) ? files : await askFiles();
  if (paths.length === 0) return undefined;
  const stamp = new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const out = Uri.joinPath(folder, 'runs', `import-${stamp}`).fsPath;
  const result = await runCommand(parts.cli, ['import', ...paths, '--out', out, '--json']);
  if (result.code !== 0) {
    void window.showErrorMessage(`Not imported: ${lastLine(result.stderr)}`);
    return undefined;
  }
  await parts.runs.refresh();
  return out;
}

const isPaths = (files: unknown): files is readonly string[] =>
  Array.isArray(files) && files.every((file) => typeof file === 'string');

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'the command failed';
}

async function askFiles(): Promise<readonly string[]> {
  const picked = await window.showOpenDialog({
    title: 'Logs or result files',
    canSelectMany: true,
    filters: { Results: ['txt', 'log', 'json', 'csv'], All: ['*'] },
  });
  return (picked ?? []).map(({ fsPath }) => fsPath);
}
