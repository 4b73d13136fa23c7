import { padEnd, padStart, width, type Style } from './style';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Rows as aligned columns with a dim heading; numbers stand at the right. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): string {
  const widths = columns.map((column, i) =>
    Math.max(width(column.title), ...rows.map((row) => width(row[i] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (columns[i]?.align === 'right' ? padStart : padEnd)(cell, widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [style.dim(line(columns.map((column) => column.title))), ...rows.map(line)].join('\n');
}

/** Names and values under each other, names dim. */
export function formatPairs(pairs: readonly (readonly [string, string])[], style: Style): string {
  const columns = Math.max(0, ...pairs.map(([name]) => width(name)));
  return pairs.map(([name, value]) => `${style.dim(padEnd(name, columns))}  ${value}`).join('\n');
}
