import { commands, ProgressLocation, Uri, window, workspace } from 'vscode';
import type { RunSummary } from '../../server/protocol/methods';
import { runCommand } from '../command-line';
import { isActive } from '../../server/protocol/events';
import type { Commands, Parts } from './context';
import { runPath } from './jobs';

/** Commands on runs that are there. */
export function runCommands(parts: Parts): Commands {
  return {
    'mergevla.openRunFolder': (run) => openRunFolder(parts, run),
    'mergevla.deleteRun': (run) => deleteRun(parts, run),
    'mergevla.openRunReport': (run) => openRunReport(parts, run),
    'mergevla.export': (run, form, target) => exportRun(parts, run, form, target),
  };
}

async function openRunFolder(parts: Parts, argument: unknown): Promise<string | undefined> {
  const run = await chooseRun(parts, argument, () => true);
  if (!run) return undefined;
  const uri = Uri.file(run.path);
  const inside = workspace.getWorkspaceFolder(uri) !== undefined;
  await commands.executeCommand(inside ? 'revealInExplorer' : 'revealFileInOS', uri);
  return run.path;
}

async function openRunReport(parts: Parts, argument: unknown): Promise<void> {
  const run = await chooseRun(parts, argument, (candidate) => candidate.state === 'done');
  if (!run) return;
  await commands.executeCommand('markdown.showPreview', Uri.file(`${run.path}/README.md`));
}

/** Deletes a run that no job works on; the message, and an open success panel, offer to undo it. */
async function deleteRun(parts: Parts, argument: unknown): Promise<string | undefined> {
  const { deleted, runs } = parts;
  const run = await chooseRun(parts, argument, (candidate) => !isActive(candidate));
  if (!run) return undefined;
  if (isActive(run)) {
    void window.showWarningMessage(`${run.name} is still worked on. Stop its job first.`);
    return undefined;
  }
  const held = deleted.hold();
  try {
    await deleted.delete(run);
  } catch (error) {
    await held.dispose();
    void window.showErrorMessage(`${run.name} was not deleted: ${String(error)}`);
    return undefined;
  }
  await runs.refresh();
  void offerUndo(parts, run).finally(held.dispose);
  return run.path;
}

async function offerUndo({ deleted, runs }: Parts, { name, path }: RunSummary): Promise<void> {
  const choice = await window.showInformationMessage(`${name} was deleted.`, 'Undo');
  if (choice === undefined) return;
  await deleted.restore(path).catch((error: unknown) => {
    void window.showErrorMessage(`${name} was not brought back: ${String(error)}`);
  });
  await runs.refresh();
}

const forms = [
  { label: 'weights', description: 'one full model, or one for each task when masked' },
  { label: 'mergevla', description: 'the on-disk layout of the released code' },
  { label: 'mergekit', description: 'a recipe for mergekit, with what it cannot say listed' },
] as const;

/** Writes a finished run in another form, into a folder that does not exist yet. */
async function exportRun(
  parts: Parts,
  argument: unknown,
  form: unknown,
  target: unknown,
): Promise<string | undefined> {
  const run = await chooseRun(parts, argument, (candidate) => candidate.state === 'done');
  if (!run) return undefined;
  const chosen =
    typeof form === 'string'
      ? form
      : (await window.showQuickPick(forms, { title: 'Which form?' }))?.label;
  if (chosen === undefined) return undefined;
  const folder =
    target instanceof Uri
      ? target
      : await window.showSaveDialog({
          title: 'Export to',
          defaultUri: Uri.file(`${run.path}-${chosen}`),
        });
  if (!folder) return undefined;
  const result = await window.withProgress(
    { location: ProgressLocation.Notification, title: `Exporting ${run.name}`, cancellable: true },
    (_progress, token) =>
      runCommand(parts.cli, ['export', run.path, '--form', chosen, '--out', folder.fsPath], {
        token,
      }),
  );
  if (result.code === 0) return folder.fsPath;
  parts.logs.server.error(result.stderr);
  if (!result.cancelled)
    void window.showErrorMessage(
      `${run.name} was not exported: ${result.stderr.trim().split('\n').at(-1) ?? ''}`,
    );
  return undefined;
}

/** The run given, or the one picked of those that fit. */
async function chooseRun(
  parts: Parts,
  argument: unknown,
  fits: (run: RunSummary) => boolean,
): Promise<RunSummary | undefined> {
  const path = runPath(argument);
  if (path !== undefined) return parts.runs.find(path);
  const candidates = parts.runs.list().filter(fits);
  if (candidates.length === 0) {
    void window.showInformationMessage('There is no such run in this workspace yet.');
    return undefined;
  }
  const picked = await window.showQuickPick(
    candidates.map((run) => ({
      label: run.name,
      description: isActive(run) ? run.state : (run.headline ?? run.state),
      detail: run.path,
      run,
    })),
    { title: 'Which run?' },
  );
  return picked?.run;
}
