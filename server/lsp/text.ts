import type { Estimate } from '../protocol/report';

/** Texts for numbers as hovers, lenses and hints show them; no-break space before the unit. */

export type Figure = Estimate | number;

export const valueOf = (figure: Figure): number =>
  typeof figure === 'number' ? figure : figure.value;

export const isEstimate = (figure: Figure): figure is Estimate => typeof figure !== 'number';

/** A figure divided by a number. */
export function per(figure: Figure, whole: number): Figure {
  if (!isEstimate(figure)) return figure / whole;
  const { value, low, high } = figure;
  if (low === null || high === null) return { value: value / whole, low: null, high: null };
  return { value: value / whole, low: low / whole, high: high / whole };
}

/** A number worked out from figures: as soon as one of them is an estimate it is one, without an interval. */
export function workedOut(value: number, from: readonly Figure[]): Figure {
  return from.some(isEstimate) ? { value, low: null, high: null } : value;
}

/** `≈ 43.1 % ± 0.6` for an estimate, `43.21 %` for an exact share; `–` where there is none. */
export function percent(share: Figure | undefined, options: { short?: boolean } = {}): string {
  if (share === undefined || !Number.isFinite(valueOf(share))) return '–';
  const value = 100 * valueOf(share);
  if (!isEstimate(share)) return `${value.toFixed(options.short ? 1 : 2)}\u00a0%`;
  const about = `≈\u00a0${value.toFixed(1)}\u00a0%`;
  const { low, high } = share;
  if (options.short || low === null || high === null) return about;
  return `${about}\u00a0±\u00a0${((100 * (high - low)) / 2).toFixed(1)}`;
}

/** `+0.18`, `−0.04`: the sign always written, with a true minus. */
export function signed(figure: Figure | undefined): string {
  if (figure === undefined || !Number.isFinite(valueOf(figure))) return '–';
  const value = valueOf(figure);
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}

export function plain(figure: Figure | undefined): string {
  return figure === undefined || !Number.isFinite(valueOf(figure))
    ? '–'
    : valueOf(figure).toFixed(2);
}

/** `1.07 B`, `14.9 M`, `320`. */
export function count(value: number): string {
  const units = ['', 'k', 'M', 'B', 'T'];
  return scaled(value, 1000, units);
}

/** `2.51 GB`, decimal. */
export function bytes(value: number): string {
  return scaled(value, 1000, ['B', 'kB', 'MB', 'GB', 'TB']);
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (rest >= 0.9995 * step && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  const name = units[unit] ?? '';
  return `${rest.toFixed(digits)}${name === '' ? '' : `\u00a0${name}`}`;
}

export function plural(number: number, word: string): string {
  return `${number.toLocaleString('en-US')}\u00a0${word}${number === 1 ? '' : 's'}`;
}

const bars = '▁▂▃▄▅▆▇█';

/** At most 16 bars fit a hover's width. */
const widest = 16;

/** One bar a block on a scale shared by its table; more than 16 blocks are averaged to 16, a missing one is `·`. */
export function sparkline(
  values: readonly (number | undefined)[],
  [low, high]: readonly [number, number],
): string {
  return averaged(values)
    .map((value) => {
      if (value === undefined) return '·';
      const place = high > low ? (value - low) / (high - low) : 0;
      const index = Math.round(Math.min(1, Math.max(0, place)) * (bars.length - 1));
      return bars.charAt(index);
    })
    .join('');
}

function averaged(values: readonly (number | undefined)[]): (number | undefined)[] {
  if (values.length <= widest) return [...values];
  return Array.from({ length: widest }, (_, index) => {
    const from = Math.floor((index * values.length) / widest);
    const to = Math.floor(((index + 1) * values.length) / widest);
    const known = values.slice(from, to).filter((value) => value !== undefined);
    return known.length === 0
      ? undefined
      : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** Text from recipes and files as Markdown text, never as markup. */
export function escape(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, '\\$&').replace(/\s+/g, ' ');
}

/** A code span that holds any text; a bar would end a table's cell. */
export function code(text: string): string {
  const clean = text.replace(/[`|\r\n]/g, ' ');
  return `\`${clean}\``;
}

/** `[$(icon) title](command:id?args)`: a link the editor trusts when the command is on the client's list. */
export function commandLink(title: string, command: string, ...args: readonly unknown[]): string {
  const query = args.length === 0 ? '' : `?${encodeURIComponent(JSON.stringify(args))}`;
  return `[${title}](command:${command}${query})`;
}
