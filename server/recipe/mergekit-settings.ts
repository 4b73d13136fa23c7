import { alongBlocks, type MatchedNumber, type NumberSpec } from './numbers';

/** A scalar or a gradient over layers, as mergekit writes them. */
type Value = number | boolean | readonly number[];

/** One line of a setting; `filter` is a substring of tensor names, absent: all. */
export interface SettingLine {
  readonly filter?: string;
  readonly value: Value;
}

/** A mapping of the foreign recipe, or an empty one. */
export function mapping(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

export function sequence(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The lines of a setting: scalar, list of numbers (gradient), `{value, filter}`, or a list of these. */
export function settingLines(setting: unknown): SettingLine[] {
  if (typeof setting === 'number' || typeof setting === 'boolean') return [{ value: setting }];
  if (Array.isArray(setting)) {
    if (setting.every((item) => typeof item === 'number')) return [{ value: setting }];
    return sequence(setting).flatMap(settingLines);
  }
  const { value, filter } = mapping(setting);
  const all = typeof filter !== 'string' || filter === '*';
  return settingLines(value).map((line) =>
    all ? { value: line.value } : { filter, value: line.value },
  );
}

/**
 * What applies to a tensor when settings are given at several levels, the nearest first: lines are
 * searched level by level, and the first unconditional one ends the search.
 */
export function inherited(levels: readonly unknown[]): SettingLine[] {
  const lines = levels.flatMap((level) => (level === undefined ? [] : settingLines(level)));
  const last = lines.findIndex((line) => line.filter === undefined);
  return last < 0 ? lines : lines.slice(0, last + 1);
}

/** A switch; undefined where none is set. Conditional switches count by their default. */
export function switchOf(lines: readonly SettingLine[]): boolean | undefined {
  const line = lines.find(({ filter }) => filter === undefined);
  return line && typeof line.value === 'boolean' ? line.value : undefined;
}

/** Our number for the lines of a setting; undefined where there is none. */
export function toNumberSpec(lines: readonly SettingLine[]): NumberSpec | undefined {
  const numbers = lines.flatMap(({ filter, value }): MatchedNumber[] => {
    if (typeof value === 'boolean') return [];
    const number = typeof value === 'number' ? value : { gradient: value };
    return [filter === undefined ? { value: number } : { match: toGlob(filter), value: number }];
  });
  const only = numbers[0];
  return numbers.length === 1 && only && only.match === undefined
    ? only.value
    : numbers.length > 0
      ? numbers
      : undefined;
}

/** A substring as a glob; characters with a meaning in globs stand in brackets. */
export function toGlob(filter: string): string {
  return `*${filter.replace(/[*?{}[]/g, '[$&]')}*`;
}

/** The substring of a glob of the form `*text*`; nothing for any other glob. */
export function toFilter(glob: string): string | undefined {
  if (/^\*+$/.test(glob)) return '*';
  const text = /^\*(.+)\*$/.exec(glob)?.[1]?.replace(/\[([*?{}[])\]/g, '\u0000$1');
  if (text === undefined || /(?<!\u0000)[*?{}[]/.test(text)) return undefined;
  return text.replaceAll('\u0000', '');
}

/** Layers of the output that one slice makes, end excluded. */
export interface SliceLines {
  readonly from: number;
  readonly to: number;
  readonly lines: readonly SettingLine[];
}

/**
 * One number over slices that follow each other: a line for each value with the layers that have it.
 * Undefined where it cannot be said, because a slice has conditional settings.
 */
export function overSlices(slices: readonly SliceLines[]): NumberSpec | undefined {
  const first = slices[0];
  const texts = new Set(slices.map(({ lines }) => JSON.stringify(lines)));
  const constant = first && first.lines.every(({ value }) => typeof value === 'number');
  if (!first || (texts.size === 1 && (constant || slices.length === 1)))
    return first && toNumberSpec(first.lines);
  const layers = new Map<number, number[]>();
  for (const { from, to, lines } of slices) {
    const value = lines[0]?.value;
    if (lines.length !== 1 || lines[0]?.filter !== undefined || typeof value === 'boolean')
      return undefined;
    for (let layer = from; layer < to; layer++) {
      const place = { tensorName: '', block: layer - from, blocks: to - from };
      const number = typeof value === 'number' ? value : alongBlocks(value ?? [], place, 1);
      layers.set(number, [...(layers.get(number) ?? []), layer]);
    }
  }
  const outside = first.lines[0]?.value;
  return [
    ...[...layers].map(([value, list]) => ({ match: `*.layers.{${list.join(',')}}.*`, value })),
    { value: typeof outside === 'number' ? outside : ((outside as readonly number[])[0] ?? 1) },
  ];
}
