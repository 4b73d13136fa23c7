import type { SpectraView } from '../../server/protocol/panels/spectra';
import type { SpectrumScope, TensorSpectrum } from '../../server/protocol/spectrum';
import type { Theme } from '../shared/theme';
import type { MaskModel } from './model';

/** A matrix with what its drawings need. */
export interface SpectrumInput {
  readonly tensor: TensorSpectrum;
  readonly tasks: readonly string[];
  readonly theme: Theme;
  /** Only this task is drawn in full. */
  readonly isolated: number | undefined;
  /** Directions below this share of the largest singular value are left out of a merge. */
  readonly floor: number;
}

/** What float32 weights determine at all; a recipe's tolerance may be above it. */
export const undetermined = 1e-6;

export const floorOf = ({ rank_tolerance: tolerance }: SpectrumScope): number =>
  Math.max(tolerance, undetermined);

/** Numbers of directions that overlaps are shown for: powers of two, and all that were measured. */
export function overlapSizes(k: number): readonly number[] {
  const powers = [1, 2, 4, 8, 16, 32, 64].filter((size) => size < k);
  return [...powers, k];
}

/** Matrices of the same place in other blocks, in network order. */
export function sameKind(
  tensors: readonly TensorSpectrum[],
  { component, kind, shape }: TensorSpectrum,
): readonly TensorSpectrum[] {
  return tensors
    .filter(
      (other) =>
        other.component === component && other.kind === kind && other.shape.join() === shape.join(),
    )
    .sort((a, b) => (a.block ?? -1) - (b.block ?? -1));
}

/** Overlap of a pair over the leading `size` directions, at most as many as both tasks have. */
export function overlapOf(tensor: TensorSpectrum, pair: number, size: number): number {
  const shares = tensor.overlaps[pair]?.shares ?? [];
  return shares[Math.min(size, shares.length) - 1] ?? Number.NaN;
}

/** What unrelated tasks would have: the span of `size` random directions among all columns. */
export function unrelatedOverlap({ shape }: TensorSpectrum, size: number): number {
  const columns = shape[1] ?? 1;
  return Math.min(size, columns) / columns;
}

/** Place of a pair in the order (0,1) (0,2) … (1,2) …. */
export function pairIndex(a: number, b: number, tasks: number): number {
  const [i, j] = a < b ? [a, b] : [b, a];
  return i * tasks - (i * (i + 1)) / 2 + j - i - 1;
}

/** Four significant digits, with an exponent where there would be many zeros. */
export function magnitude(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  return value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(4))) : exponent(value);
}

function exponent(value: number): string {
  const [digits = '', power = '0'] = value.toExponential(2).split('e');
  const tens = `10${superscript(Number(power))}`;
  return Number(digits) === 1 ? tens : `${digits} · ${tens}`;
}

export function superscript(power: number): string {
  const digits = [...String(Math.abs(power))].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '');
  return `${power < 0 ? '⁻' : ''}${digits.join('')}`;
}

/** What was measured, as long as it belongs to the recipe's tasks. */
export function spectraOf({ snapshot: { spectra, recipe } }: MaskModel): SpectraView | undefined {
  const tasks = spectra?.scope?.tasks;
  return tasks && tasks.join('\0') !== recipe?.tasks.join('\0') ? undefined : spectra;
}
