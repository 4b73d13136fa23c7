import { formatCount, formatShare } from '../units';
import { formatPairs, formatTable } from '../table';
import type { Style } from '../style';
import type { Cell, ReportDocument, ReportTable } from './document';

export function toText(document: ReportDocument, style: Style): string {
  const facts = document.facts.length > 0 ? [formatPairs(document.facts, style)] : [];
  const tables = document.tables.map((table) => {
    const columns = table.columns.map(({ title, numeric }) => ({
      title,
      align: numeric ? ('right' as const) : ('left' as const),
    }));
    const rows = table.rows.map((row) => row.map(cellText));
    return `${style.bold(table.title)}\n${formatTable(columns, rows, style)}`;
  });
  return [...facts, ...tables].join('\n\n');
}

export function toMarkdown(document: ReportDocument): string {
  const escape = (text: string): string => text.replace(/([\\|*_`<>])/g, '\\$1');
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const tables = document.tables.map((table) =>
    [
      `## ${escape(table.title)}`,
      '',
      line(table.columns.map(({ title }) => escape(title))),
      line(table.columns.map(({ numeric }) => (numeric ? '---:' : '---'))),
      ...table.rows.map((row) => line(row.map((cell) => escape(cellText(cell))))),
    ].join('\n'),
  );
  const facts = document.facts.map(([name, value]) => `- ${escape(name)}: ${escape(value)}`);
  const parts = [`# ${escape(document.title)}`, facts.join('\n'), ...tables];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

export function toLatex(document: ReportDocument): string {
  const tables = document.tables.map((table) =>
    [
      `% ${document.title}: ${table.title} (needs the booktabs package)`,
      `\\begin{tabular}{${table.columns.map(({ numeric }) => (numeric ? 'r' : 'l')).join('')}}`,
      '\\toprule',
      latexLine(table.columns.map(({ title }) => title)),
      '\\midrule',
      ...table.rows.map((row) => latexLine(row.map(cellText))),
      '\\bottomrule',
      '\\end{tabular}',
    ].join('\n'),
  );
  return `${tables.join('\n\n')}\n`;
}

function latexLine(cells: readonly string[]): string {
  return `${cells.map(escapeLatex).join(' & ')} \\\\`;
}

function escapeLatex(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '\\': '\\textbackslash{}',
    '~': '\\textasciitilde{}',
    '^': '\\textasciicircum{}',
  };
  return text.replace(/[\\~^&%$#_{}]/g, (sign) => named[sign] ?? `\\${sign}`);
}

/** Tables under each other with full digits; the first column names the table. */
export function toCsv(document: ReportDocument): string {
  const rows = document.tables.flatMap((table) => [
    ['table', ...table.columns.map(({ title }) => title)],
    ...table.rows.map((row) => [table.title, ...row.map(cellNumber)]),
  ]);
  return rows.map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n';
}

/** Quotes where needed; a leading sign that a spreadsheet takes for a formula is kept from being one. */
function csvField(text: string): string {
  const safe = /^[=+@]/.test(text) || /^-[^\d.]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toHtml(document: ReportDocument): string {
  const facts = document.facts
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(document.title)}</title>
<style>${css}</style>
<h1>${escapeHtml(document.title)}</h1>
<dl>${facts}</dl>
${document.tables.map(htmlTable).join('\n')}
</html>
`;
}

function htmlTable(table: ReportTable): string {
  const head = table.columns.map(({ title }) => `<th scope="col">${escapeHtml(title)}</th>`);
  const rows = table.rows.map((row) => `<tr>${row.map(htmlCell).join('')}</tr>`);
  return `<h2>${escapeHtml(table.title)}</h2>
<div class="wide"><table><thead><tr>${head.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

/** A share is drawn as a bar behind its figure. */
function htmlCell(cell: Cell, index: number): string {
  const text = escapeHtml(cellText(cell));
  if (index === 0) return `<th scope="row">${text}</th>`;
  if (cell === null || typeof cell === 'string') return `<td>${text}</td>`;
  if ('count' in cell) return `<td class="number">${text}</td>`;
  const percent = (Math.min(1, Math.max(0, cell.share)) * 100).toFixed(1);
  return `<td class="number share" style="--share:${percent}%">${text}</td>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function cellText(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  if ('count' in cell) return formatCount(cell.count);
  const { share, margin } = cell;
  return margin === undefined
    ? formatShare(share)
    : `${formatShare(share)} ±${(100 * margin).toFixed(1)}`;
}

function cellNumber(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  return String('count' in cell ? cell.count : cell.share);
}

const css = `
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dt { opacity: .7; } dd { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #8884; text-align: left; white-space: nowrap; }
.number { text-align: right; }
.share { background: linear-gradient(to right, #3b82f633 var(--share), transparent 0); }
`;
