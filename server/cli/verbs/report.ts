import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MergeError } from '../../protocol/merge-error';
import { isRecord } from '../../protocol/shape';
import { readReport, readRun } from '../../runs/read';
import { nearest } from '../../recipe/suggest';
import { usage } from '../arguments';
import { makeDocument, type ReportDocument, type ReportedRun } from '../report/document';
import { numericRates, readRates } from '../report/success';
import { toCsv, toHtml, toLatex, toMarkdown, toText } from '../report/formats';
import type { Style } from '../style';
import type { Call, Outcome } from '../verb';

type Writer = (document: ReportDocument, style: Style) => string;

const writers: Readonly<Record<string, Writer>> = {
  text: toText,
  markdown: toMarkdown,
  latex: toLatex,
  csv: toCsv,
  html: toHtml,
  json: (document) => JSON.stringify(document, undefined, 2),
};

export async function run({ operands, options, terminal }: Call): Promise<Outcome> {
  const format = options.text('format') ?? 'text';
  const writer = Object.hasOwn(writers, format) ? writers[format] : undefined;
  if (!writer) throw unknownFormat(format);
  const runs = await Promise.all(operands.map(load));
  const document = format === 'csv' ? numericDocument(runs) : makeDocument(runs);
  const json = { runs: runs.map(describe), ...document };
  const text =
    format === 'json' ? JSON.stringify(json, undefined, 2) : writer(document, terminal.style);
  return { code: 0, json, text };
}

/** Spreadsheets want one number a field. */
function numericDocument(runs: readonly ReportedRun[]): ReportDocument {
  const document = makeDocument(
    runs.map(({ run, report, parameters }) => ({ run, report, parameters })),
  );
  const rates = numericRates(runs.map((one) => ({ id: one.run.id, rates: one.rates })));
  return { ...document, tables: [...rates, ...document.tables] };
}

function describe({ run, report, parameters, rates }: ReportedRun): unknown {
  const { id, folder: path, state } = run;
  const tasks = report?.tasks ?? rates?.table.tasks;
  const success = rates && {
    success: { protocol: rates.protocol, range: rates.range, ...rates.table },
  };
  const merged = report && { components: report.components, total: report.total };
  return { id, path, state, parameters, tasks, exact: report?.exact, ...success, ...merged };
}

async function load(path: string): Promise<ReportedRun> {
  const run = await readRun(path);
  const report = await readReport(run);
  const rates = readRates(run.folder, report?.tasks ?? []);
  if (!report && !rates)
    throw new MergeError(
      'MV533',
      `${run.folder} has no whole report.json and no results: the run is ${run.state}`,
    );
  return { run, report, parameters: await readParameters(run.folder), rates };
}

/** Flat `params.yaml`, which we write as one `key: JSON value` a line. */
async function readParameters(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(folder, 'params.yaml');
  const text = await readFile(path, 'utf8').catch(() => '');
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const value: unknown = document.errors.length > 0 ? undefined : document.toJS();
  if (value === null || isRecord(value)) return value ?? {};
  throw new MergeError('MV533', `${path} is damaged: it is no list of parameters`);
}

function unknownFormat(format: string): MergeError {
  const names = Object.keys(writers);
  const near = nearest(format, names);
  const hint = near ? `did you mean ${near}` : `the formats are ${names.join(', ')}`;
  return usage(`--format ${format} is not known; ${hint}`);
}
