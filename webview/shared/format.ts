import type { Figure } from '../../server/protocol/panels/shared';

/** Between a number and its unit, so that a line never breaks there. */
export const nbsp = '\u00a0';
export const missing = '–';

export const valueOf = (figure: Figure | null | undefined): number =>
  figure === null || figure === undefined
    ? Number.NaN
    : typeof figure === 'number'
      ? figure
      : figure.value;
export const lowOf = (figure: Figure | null | undefined): number =>
  figure !== null && typeof figure === 'object' ? (figure.low ?? Number.NaN) : Number.NaN;
export const highOf = (figure: Figure | null | undefined): number =>
  figure !== null && typeof figure === 'object' ? (figure.high ?? Number.NaN) : Number.NaN;

/** `43.1` for a share of 0.431; a true minus; a dash where there is no number. */
export function percent(share: number, decimals: number): string {
  return number(share * 100, decimals);
}

export function number(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return missing;
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** Cosines, margins and differences: the sign is always written. */
export function signed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return missing;
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return `${text}`;
  return value < 0 ? `−${text}` : `+${text}`;
}

/** `≈ 43.1 % ± 0.6` for an estimate, `43.21 %` for an exact share. */
export function share(figure: Figure | null | undefined): string {
  const value = valueOf(figure);
  if (!Number.isFinite(value)) return missing;
  if (typeof figure === 'number') return `${percent(value, 2)}${nbsp}%`;
  const about = `≈${nbsp}${percent(value, 1)}${nbsp}%`;
  const half = halfWidth(figure);
  // Where no sample can bound a figure it is approximate only, and no interval pretends otherwise.
  return Number.isFinite(half) ? `${about}${nbsp}±${nbsp}${percent(half, 1)}` : about;
}

/** In columns whose head says ≈ and %. */
export function shareInColumn(figure: Figure | null | undefined): string {
  return percent(valueOf(figure), typeof figure === 'number' ? 2 : 1);
}

export function halfWidth(figure: Figure | null | undefined): number {
  return (highOf(figure) - lowOf(figure)) / 2;
}

export function probability(value: number): string {
  if (!Number.isFinite(value)) return missing;
  if (value < 0.01 && value > 0) return `<${nbsp}0.01`;
  if (value > 0.99 && value < 1) return `>${nbsp}0.99`;
  return value.toFixed(2);
}

/** p-values: two significant digits. */
export function pValue(value: number): string {
  if (!Number.isFinite(value)) return missing;
  return value < 0.001
    ? `<${nbsp}0.001`
    : value >= 0.995
      ? '1.0'
      : String(Number(value.toPrecision(2)));
}

/** `1.07 B`, `14.9 M`, `5,120`. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return missing;
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)}${nbsp}B`;
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}${nbsp}M`;
  return Math.round(value).toLocaleString('en');
}

export function bytes(value: number): string {
  if (value < 1e5) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)}${nbsp}kB`;
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}${nbsp}GB`;
  return `${(value / 1e6).toFixed(value >= 1e7 ? 0 : 1)}${nbsp}MB`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${String(Math.round(seconds))}${nbsp}s`;
  if (seconds < 5400) return `${String(Math.round(seconds / 60))}${nbsp}min`;
  return `${String(Math.round(seconds / 3600))}${nbsp}h`;
}

/** Middle ellipsis for names; the caller puts the full name into the tooltip. */
export function shorten(name: string, longest: number): string {
  const letters = [...name];
  if (letters.length <= longest) return name;
  const head = Math.ceil((longest - 1) / 2);
  return `${letters.slice(0, head).join('')}…${letters.slice(-(longest - 1 - head)).join('')}`;
}
