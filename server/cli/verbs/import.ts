import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import type { Imported, ImportedRun, ImportOptions } from '../../evaluate/import/types';
import { importResults, largestResultFile } from '../../evaluate/import/read';
import { withoutTwins } from '../../evaluate/import/pairs';
import { readSimplerEnv } from '../../evaluate/import/simpler-env';
import { readTrials } from '../../evaluate/import/trials';
import type { PolicyRollouts } from '../../evaluate/rates/table';
import { successTable } from '../../evaluate/rates/table';
import { importedPolicies } from '../../evaluate/rates/imported';
import { cellText } from '../../evaluate/rates/text';
import { MergeError } from '../../protocol/merge-error';
import { trialFiles } from '../../protocol/trials';
import type { RunRecord } from '../../runs/record';
import { usage } from '../arguments';
import { formatTable } from '../table';
import type { Call, Outcome } from '../verb';

/** `mergevla import`: all files are read before anything is written, so a refused one leaves nothing. */
export function run(call: Call): Promise<Outcome> {
  const { operands, options, terminal } = call;
  const twice = operands.find((path, i) => operands.indexOf(path) < i);
  if (twice !== undefined) throw usage(`${twice} is given twice`);
  const read = operands.map((path) => readOne(path, importOptions(call)));
  const { runs, warning } = withoutTwins(read);
  if (warning !== undefined) terminal.complain(warning);
  const policies = importedPolicies(runs);
  const out = options.text('out');
  const path = out === undefined ? undefined : writeRun(out, runs, call);
  for (const run of runs) {
    for (const warning of run.warnings) terminal.complain(warning);
    if (run.partial !== undefined) terminal.complain(`${run.file}: partial, ${run.partial}`);
  }
  return Promise.resolve({
    code: 0,
    json: { runs, rates: ratesJson(policies), ...(path === undefined ? {} : { run: path }) },
    text: tableText(policies, terminal.style),
    ...(path === undefined ? {} : { quiet: path }),
  });
}

function importOptions({ options }: Call): ImportOptions {
  const [policy, text] = [options.text('policy'), options.text('trials')];
  const trials = text === undefined ? undefined : Number(text);
  if (trials !== undefined && !(Number.isInteger(trials) && trials > 0))
    throw usage(`--trials ${String(text)} is no whole number above 0`);
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(trials === undefined ? {} : { trials }),
  };
}

function readOne(path: string, options: ImportOptions): ImportedRun {
  const imported = isFolder(path) ? readFolder(path, options) : readFile(path, options);
  if (imported.run) return imported.run;
  throw new MergeError('MV558', imported.refusal);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    throw new MergeError('MV558', `${path} is not there`);
  }
}

function readFile(path: string, options: ImportOptions): Imported {
  if (statSync(path).size > largestResultFile)
    return { refusal: `${path} is larger than any result file (64 MB)` };
  return importResults({ name: resultName(path), text: readFileSync(path, 'utf8') }, options);
}

/** RoboTwin's file name says nothing; its folders name the task. */
function resultName(path: string): string {
  return basename(path) === '_result.txt' ? path : basename(path);
}

function readFolder(path: string, options: ImportOptions): Imported {
  const text = (name: string): string => {
    const file = join(path, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  if (existsSync(join(path, trialFiles.plan)))
    return readTrials(basename(resolve(path)), {
      plan: text(trialFiles.plan),
      journal: text(trialFiles.journal),
    });
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)));
  return readSimplerEnv(basename(resolve(path)), files, options);
}

/** A series of trials becomes a run in the folder that it was recorded in, also after a first try was cut off. */
function isFree(folder: string): boolean {
  const names = readdirSync(folder);
  const own: readonly string[] = [...Object.values(trialFiles), 'episodes.jsonl', 'import.json'];
  return (
    names.length === 0 || (names.includes(trialFiles.plan) && names.every((n) => own.includes(n)))
  );
}

/** A run directory that the editor lists and `report` reads. Throws MV530 when the folder is in use. */
function writeRun(out: string, runs: readonly ImportedRun[], call: Call): string {
  const folder = resolve(out);
  mkdirSync(folder, { recursive: true });
  if (!isFree(folder))
    throw new MergeError('MV530', `${out} is not empty, so nothing is written there`);
  const episodes = runs.flatMap((run) => run.episodes);
  // Lines are told apart by task and seed: where a file has no seeds, their place stands for it.
  const lines = episodes.map(({ seed, steps, ...rest }, place) =>
    JSON.stringify({ ...rest, seed: seed ?? place, steps: steps ?? 0 }),
  );
  const partial = runs.flatMap((run) => (run.partial === undefined ? [] : [run.partial]));
  const manual = runs.find((run) => run.manual)?.manual;
  const facts = {
    version: 1,
    files: runs.map(({ file, format }) => ({ file, format })),
    seeds: episodes.every(({ seed }) => seed !== undefined),
    counts: runs.flatMap((run) => run.counts),
    routing: runs.flatMap((run) => run.routing ?? []),
    ...(manual ? { manual } : {}),
    ...(partial.length > 0 ? { partial: partial.join('; ') } : {}),
  };
  writeFileSync(join(folder, 'episodes.jsonl'), lines.map((line) => `${line}\n`).join(''));
  writeFileSync(join(folder, 'import.json'), `${JSON.stringify(facts, undefined, 2)}\n`);
  // Last, because a folder with this file is a run.
  writeFileSync(
    join(folder, 'run.json'),
    `${JSON.stringify(record(folder, call), undefined, 2)}\n`,
  );
  return folder;
}

function record(folder: string, { command, version }: Call): RunRecord {
  const now = new Date().toISOString();
  return {
    version: 1,
    id: `${basename(folder)}-${randomBytes(2).toString('hex')}`,
    name: basename(folder),
    state: 'done',
    phases: [{ name: 'import', state: 'done', started: now, ended: now }],
    ...{ created: now, updated: now, finished: now },
    ...{ pid: process.pid, host: hostname(), command },
    versions: { mergevla: version, node: process.version },
    device: 'none',
    timings: {},
  };
}

function tasksOf(policies: readonly PolicyRollouts[]): readonly string[] {
  return [...new Set(policies.flatMap((policy) => [...policy.tasks.keys()]))];
}

function tableText(policies: readonly PolicyRollouts[], style: Call['terminal']['style']): string {
  const tasks = tasksOf(policies);
  const table = successTable([{ title: '', policies }], {
    tasks,
    interval: 'wilson',
    protocol: '',
  });
  // One line a task: suites of foreign benchmarks have long names and up to a hundred tasks.
  const rows = (table.groups[0]?.rows ?? []).flatMap((row) =>
    row.cells.flatMap((cell, i) => (cell ? [[row.label, tasks[i] ?? '', cellText(cell)]] : [])),
  );
  const columns = [{ title: 'policy' }, { title: 'task' }, { title: 'success' }] as const;
  return formatTable(columns, rows, style);
}

function ratesJson(policies: readonly PolicyRollouts[]): unknown {
  return policies.flatMap(({ label, tasks }) =>
    [...tasks].map(([task, { successes, trials, errors }]) => ({
      ...{ policy: label, task, successes, trials, errors },
      rate: trials > 0 ? successes / trials : null,
    })),
  );
}
