import type { MethodName } from './methods';
import { alongBlocks, type MatchedNumber, type NumberSpec } from './numbers';

/** Our methods by mergekit's names, as far as it has them. */
export const mergekitNames: Partial<Record<MethodName, string>> = {
  average: 'linear',
  task_arithmetic: 'task_arithmetic',
  ties: 'ties',
  dare_linear: 'dare_linear',
  dare_ties: 'dare_ties',
  breadcrumbs: 'breadcrumbs',
  breadcrumbs_ties: 'breadcrumbs_ties',
  della: 'della',
  della_linear: 'della_linear',
  slerp: 'slerp',
  model_stock: 'model_stock',
};

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

/** Whether a setting says anything that `settingLines` can read. */
export function isSetting(setting: unknown): boolean {
  return settingLines(setting).length > 0;
}

/** The lines of a setting: scalar, list of numbers (gradient), `{value, filter}`, or a list of these. */
export function settingLines(setting: unknown): SettingLine[] {
  if (typeof setting === 'number' || typeof setting === 'boolean') return [{ value: setting }];
  if (Array.isArray(setting)) {
    if (setting.every((item) => typeof item === 'number')) return [{ value: setting }];
    return sequence(setting).flatMap(settingLines);
  }
  const { value, filter } = mapping(setting);
  if (value === undefined) return [];
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
  const inside = /^\*(.+)\*$/.exec(glob)?.[1];
  const literal = /^(?:[^*?{}[]|\[[*?{}[]\])+$/;
  return inside !== undefined && literal.test(inside)
    ? inside.replace(/\[([*?{}[])\]/g, '$1')
    : undefined;
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
  if (!first || sameEverywhere(slices)) return first && toNumberSpec(first.lines);
  const layers = new Map<number, number[]>();
  for (const { from, to, lines } of slices) {
    const value = unconditional(lines);
    if (value === undefined) return undefined;
    for (let layer = from; layer < to; layer++) {
      const number = atLayer(value, layer - from, to - from);
      layers.set(number, [...(layers.get(number) ?? []), layer]);
    }
  }
  const byLayer = [...layers].map(([value, list]) => ({
    match: `*.layers.{${list.join(',')}}.*`,
    value,
  }));
  return [...byLayer, { value: atLayer(unconditional(first.lines) ?? 1, null, 0) }];
}

/** One slice says everything; several do when they say the same and none has a gradient of its own. */
function sameEverywhere(slices: readonly SliceLines[]): boolean {
  if (slices.length === 1) return true;
  const texts = new Set(slices.map(({ lines }) => JSON.stringify(lines)));
  return (
    texts.size === 1 &&
    slices.every(({ lines }) => lines.every(({ value }) => typeof value === 'number'))
  );
}

/** The number of a setting without filters. */
function unconditional(lines: readonly SettingLine[]): number | readonly number[] | undefined {
  const [line, ...others] = lines;
  if (!line || others.length > 0 || line.filter !== undefined) return undefined;
  return typeof line.value === 'boolean' ? undefined : line.value;
}

function atLayer(value: number | readonly number[], block: number | null, blocks: number): number {
  return typeof value === 'number'
    ? value
    : alongBlocks(value, { tensorName: '', block, blocks }, 1);
}

/** The layers of a source, end excluded; NaN where they are not given. */
export function layerRange(source: Record<string, unknown>): { from: number; to: number } {
  const [from, to] = sequence(source['layer_range']);
  return { from: Number(from ?? NaN), to: Number(to ?? NaN) };
}

/** `path@revision+adapter` of the long form. */
export function modelText(parts: Record<string, unknown>): string | undefined {
  const one = (value: unknown): string | undefined => {
    if (typeof value === 'string') return value;
    const { path, revision } = mapping(value);
    if (typeof path !== 'string') return undefined;
    return typeof revision === 'string' ? `${path}@${revision}` : path;
  };
  const model = one(parts['model']);
  const lora = one(parts['lora']);
  return model !== undefined && lora !== undefined ? `${model}+${lora}` : model;
}
