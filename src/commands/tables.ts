import { env, Uri, window, workspace } from 'vscode';
import { toCsv, toLatex, toMarkdown } from '../../server/evaluate/rates/write';
import { readRunEpisodes } from '../panels/run-episodes';
import { rateTable, type RunEpisodes } from '../panels/success-view';
import { isTrusted } from '../trust';
import type { Commands, Parts } from './context';
import { runPath } from './jobs';

const forms = [
  { label: 'Markdown', ending: 'md', write: toMarkdown },
  { label: 'LaTeX', ending: 'tex', write: toLatex },
  { label: 'CSV', ending: 'csv', write: toCsv },
] as const;
type Form = (typeof forms)[number];

/** Commands on success tables. */
export function tableCommands(parts: Parts): Commands {
  return {
    'mergevla.exportTable': (runs, form, target) => exportTable(parts, [runs, form, target]),
  };
}

/** The success table of some runs to a file or, with `clipboard`, to the clipboard; answers the text. */
async function exportTable(
  parts: Parts,
  [runs, givenForm, givenTarget]: readonly [unknown, unknown, unknown],
): Promise<string | undefined> {
  if (!isTrusted()) return undefined;
  const chosen = await chooseRuns(await readRunEpisodes(parts.runs), runs);
  if (!chosen || chosen.length === 0) return undefined;
  const found = rateTable(chosen, { interval: 'wilson', paper: undefined });
  const form = found && (await chooseForm(givenForm));
  if (!form) return undefined;
  const text = form.write(found.table);
  const target = await chooseTarget(form, givenTarget);
  if (target === undefined) return undefined;
  if (target === 'clipboard') await env.clipboard.writeText(text);
  else await workspace.fs.writeFile(target, new TextEncoder().encode(text));
  const where = target === 'clipboard' ? 'on the clipboard' : `in ${target.fsPath}`;
  window.setStatusBarMessage(`$(check) The table is ${where}`, 5000);
  return text;
}

async function chooseRuns(
  all: readonly RunEpisodes[],
  given: unknown,
): Promise<readonly RunEpisodes[] | undefined> {
  const paths = (Array.isArray(given) ? given : [given]).flatMap((item) => runPath(item) ?? []);
  if (paths.length > 0) return all.filter(({ run }) => paths.includes(run.path));
  if (all.length === 0) {
    void window.showInformationMessage('No run of this workspace has been evaluated yet.');
    return undefined;
  }
  const items = all.map((entry, index) => ({
    ...{ label: entry.run.name, detail: entry.run.path, picked: index === 0, entry },
    description: `${String(entry.lines.length)} episodes`,
  }));
  const title = 'Which runs go into the table?';
  const picked = await window.showQuickPick(items, { title, canPickMany: true });
  return picked?.map(({ entry }) => entry);
}

async function chooseForm(given: unknown): Promise<Form | undefined> {
  const named = forms.find(({ label }) => label === given);
  return named ?? window.showQuickPick(forms, { title: 'Which form?' });
}

async function chooseTarget(form: Form, given: unknown): Promise<Uri | 'clipboard' | undefined> {
  if (given instanceof Uri || given === 'clipboard') return given;
  const [clipboard, file] = ['Clipboard', 'File'];
  const picked = await window.showQuickPick([clipboard, file], { title: 'Where to?' });
  if (picked === clipboard) return 'clipboard';
  if (picked !== file) return undefined;
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const name = `success.${form.ending}`;
  return window.showSaveDialog({
    title: 'Export Table',
    filters: { [form.label]: [form.ending] },
    ...(folder ? { defaultUri: Uri.joinPath(folder, name) } : {}),
  });
}
