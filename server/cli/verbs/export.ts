import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportAnew, exportReleased, type ExportRequest } from '../../jobs/export-job';
import { MergeError } from '../../protocol/merge-error';
import { exportMergekit } from '../../recipe/mergekit-export';
import { parseRecipe } from '../../recipe/parse';
import { resolveRecipe } from '../../recipe/resolve';
import { nearest } from '../../recipe/suggest';
import { readRun } from '../../runs/read';
import { usage } from '../arguments';
import { shortPath } from '../paths';
import type { Call, Outcome } from '../verb';
import { writeNew } from './import-recipe';

const forms: Readonly<Record<string, (call: Call) => Promise<Outcome>>> = {
  weights: (call) => folderForm(call, (request) => exportAnew(request, 'weights')),
  compact: (call) => folderForm(call, (request) => exportAnew(request, 'compact')),
  mergevla: (call) => folderForm(call, exportReleased),
  mergekit: exportToMergekit,
  'model-card': exportCard,
};

export function run(call: Call): Promise<Outcome> {
  const form = call.options.text('form');
  const names = Object.keys(forms);
  if (form === undefined) throw usage(`mergevla export needs --form, one of ${names.join(', ')}`);
  const write = Object.hasOwn(forms, form) ? forms[form] : undefined;
  if (write) return write(call);
  const near = nearest(form, names);
  const hint = near ? `did you mean ${near}` : `the forms are ${names.join(', ')}`;
  throw usage(`--form ${form} is not known; ${hint}`);
}

async function folderForm(
  { operands, options, signal, terminal }: Call,
  write: (request: ExportRequest) => Promise<string>,
): Promise<Outcome> {
  const path = await write({
    run: operands[0] ?? '',
    out: options.text('out'),
    signal,
    onProgress: (progress) => terminal.progress.update(progress),
  });
  return {
    code: 0,
    json: { form: options.text('form'), path },
    text: `${terminal.style.green('exported')} to ${shortPath(path)}`,
    quiet: path,
  };
}

async function exportToMergekit({ operands, options, terminal }: Call): Promise<Outcome> {
  const run = await readRun(operands[0] ?? '');
  const source = readFileSync(join(run.folder, 'recipe.mergevla.yaml'), 'utf8');
  const { value: document } = parseRecipe(source);
  const recipe = resolveRecipe(document);
  const { text, lost } = exportMergekit(recipe);
  for (const sentence of lost) terminal.note(`${terminal.noteStyle.yellow('lost')}: ${sentence}`);
  if (text === null) throw new MergeError('MV537', `mergekit has no method ${recipe.merge.method}`);
  return textForm(text, options.text('out'), { lost });
}

async function exportCard({ operands, options }: Call): Promise<Outcome> {
  const run = await readRun(operands[0] ?? '');
  const text = readFileSync(join(run.folder, 'README.md'), 'utf8');
  return textForm(text, options.text('out'), {});
}

function textForm(text: string, out: string | undefined, more: object): Outcome {
  if (out !== undefined) writeNew(out, text);
  const path = out === undefined ? {} : { path: out };
  return { code: 0, json: { text, ...path, ...more }, text: out === undefined ? text : '' };
}
