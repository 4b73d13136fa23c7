import type { RateCell, RateRow, RateTable } from '../../protocol/panels/success-rates';
import { cellText } from './text';

/** A success table in the forms that papers and notes want. Counts always stand beside rates. */
export function toMarkdown(table: RateTable): string {
  const head = ['policy', ...table.tasks, 'task mean', 'letters', 'routed right'];
  const lines = [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:')))];
  for (const { title, rows } of table.groups) {
    lines.push(line([`_${escapeMarkdown(title)}_`, ...head.slice(1).map(() => '')]));
    for (const row of rows) lines.push(line(fields(row).map(escapeMarkdown)));
  }
  return `${lines.join('\n')}\n\n${escapeMarkdown(table.protocol)}. Intervals are 95 %. Same letter: not told apart (${table.letterTest}).\n`;
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const escapeMarkdown = (text: string) => text.replace(/[\\|*_<]/g, (c) => `\\${c}`);

/** A booktabs table. */
export function toLatex(table: RateTable): string {
  const columns = table.tasks.length + 2;
  const rows = table.groups.flatMap(({ title, rows: members }) => [
    `\\multicolumn{${String(columns)}}{l}{\\emph{${escapeLatex(title)}}} \\\\`,
    ...members.map((row) => `${fields(row).slice(0, columns).map(escapeLatex).join(' & ')} \\\\`),
    '\\midrule',
  ]);
  return [
    `\\begin{tabular}{l${'r'.repeat(columns - 1)}}`,
    '\\toprule',
    `${['policy', ...table.tasks, 'task mean'].map(escapeLatex).join(' & ')} \\\\`,
    '\\midrule',
    ...rows.slice(0, -1),
    '\\bottomrule',
    '\\end{tabular}',
    '',
  ].join('\n');
}

const latexNames: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '–': '--',
  '·': '$\\cdot$',
};
function escapeLatex(text: string): string {
  return text.replace(/[\\~^–·&%$#_{}]/g, (c) => latexNames[c] ?? `\\${c}`);
}

/** One line a policy and task, full precision, for other tools. */
export function toCsv(table: RateTable): string {
  const head = 'group,policy,detail,task,successes,trials,rate,low,high,errors,source';
  const rows = table.groups.flatMap(({ title, rows: members }) =>
    members.flatMap((row) =>
      row.cells.flatMap((cell, i) =>
        cell
          ? [csvLine([title, row.label, row.detail, table.tasks[i] ?? '', ...numbers(cell, row)])]
          : [],
      ),
    ),
  );
  return `${[head, ...rows].join('\n')}\n`;
}

function numbers(cell: RateCell, row: RateRow): string[] {
  const known = cell.trials > 0;
  const rate = known ? cell.successes / cell.trials : (cell.printed ?? Number.NaN);
  return [
    known ? String(cell.successes) : '',
    known ? String(cell.trials) : '',
    Number.isFinite(rate) ? String(rate) : '',
    known ? String(cell.low) : '',
    known ? String(cell.high) : '',
    String(cell.errors),
    row.state === 'paper' ? 'paper' : 'measured',
  ];
}

function csvLine(cells: readonly string[]): string {
  return cells.map((c) => (/[",\n]/.test(c) ? `"${c.replace(/"/g, '""')}"` : c)).join(',');
}

function fields(row: RateRow): string[] {
  const name = `${row.label}${row.detail ? ` ${row.detail}` : ''}${row.state === 'paper' ? ' (paper)' : ''}`;
  const routed = row.routed ? `${String(row.routed.right)}/${String(row.routed.known)}` : '–';
  return [
    name,
    ...row.cells.map((cell) => (cell ? cellText(cell) : '–')),
    meanText(row),
    row.letters ?? '–',
    routed,
  ];
}

function meanText({ mean }: RateRow): string {
  if (!mean) return '–';
  const value = `${(mean.value * 100).toFixed(1)} %`;
  if (mean.low === undefined || mean.high === undefined) return value;
  return `${value} [${(mean.low * 100).toFixed(0)}, ${(mean.high * 100).toFixed(0)}]`;
}
