import type { Window } from './stages';

/**
 * Finding the k-th largest magnitude by streaming passes over float32 bits, never by sorting.
 * A pass counts what lies above a window and fills a histogram of what lies inside; the next window is
 * the bin that holds the k-th. The result keeps exactly k: everything above the threshold and, of the
 * equal ones, those with the lowest flat index.
 */
export interface Selection {
  /** How many magnitudes are kept. */
  readonly keep: number;
  readonly window: Window;
  /** Set once the threshold is known. */
  readonly found: Threshold | null;
}

export interface Threshold {
  /** Float32 bits of the k-th largest magnitude; −1 keeps all. */
  readonly bits: number;
  /** How many of the magnitudes equal to it are kept, over the whole group. */
  readonly remaining: number;
  /** How many equal it. */
  readonly equal: number;
}

/** One past the bits of infinity and NaN magnitudes. */
const endOfBits = 0x80000000;

/** Number of bins that a window needs. */
export function binsOf({ low, high, shift }: Window): number {
  return Math.ceil((high - low) / 2 ** shift);
}

/** A window over [low, high) with the narrowest bins that fit. */
export function windowOver(low: number, high: number, maximumBins: number): Window {
  let shift = 0;
  while (Math.ceil((high - low) / 2 ** shift) > maximumBins) shift++;
  // The kernel compares as signed numbers, so the end stays below 2³¹.
  return { low, high: Math.min(high, endOfBits - 1), shift };
}

/** Starts a selection of `keep` among `total`; trivial ones are found at once. */
export function startSelection(keep: number, total: number, maximumBins: number): Selection {
  const window = windowOver(0, endOfBits, maximumBins);
  if (keep >= total) return { keep, window, found: { bits: -1, remaining: 0, equal: 0 } };
  if (keep <= 0) return { keep, window, found: { bits: endOfBits - 1, remaining: 0, equal: 0 } };
  return { keep, window, found: null };
}

/** The same, with a first window around the k-th as a sorted sample of magnitude bits has it. */
export function startFromSample(
  start: Selection,
  total: number,
  sample: Uint32Array,
  maximumBins: number,
): Selection {
  if (start.found || sample.length < 1000) return start;
  // Four thousandths of the ranks on both sides: several standard errors of a stratified sample.
  const rank = (1 - start.keep / total) * sample.length;
  const margin = Math.max(16, sample.length * 0.004);
  const low = sample[Math.max(0, Math.floor(rank - margin))];
  const high = sample[Math.min(sample.length - 1, Math.ceil(rank + margin))] + 1;
  return { ...start, window: windowOver(low, high, maximumBins) };
}

/**
 * A guess at a cut before it is known, from a sorted sample of magnitude bits: for each part of the sampled
 * data the bits that a magnitude has to exceed to be kept. Equal magnitudes are kept from the first part
 * on until there are enough.
 */
export function guessCuts(
  share: number,
  sample: Uint32Array,
  parts: readonly Uint32Array[],
): number[] {
  const keep = Math.round(sample.length * share);
  if (keep >= sample.length) return parts.map(() => -1);
  const threshold = keep === 0 ? endOfBits - 1 : sample[sample.length - keep];
  let left = keep - (sample.length - 1 - sample.lastIndexOf(threshold));
  return parts.map((part) => {
    const equal = part.reduce((count, bits) => count + Number(bits === threshold), 0);
    const isKept = left > equal / 2;
    left -= equal;
    return isKept ? threshold - 1 : threshold;
  });
}

/** The parts one after the other. */
export function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What one pass saw of one selection, over the whole group. */
export interface Tally {
  /** Magnitudes at the window's high end or above. */
  readonly above: number;
  /** Counts by bin. */
  readonly histogram: ArrayLike<number>;
}

/** The next window, or the threshold. */
export function refine(selection: Selection, tally: Tally, maximumBins: number): Selection {
  const { keep, window } = selection;
  if (keep <= tally.above)
    return { ...selection, window: windowOver(window.high, endOfBits, maximumBins) };
  let passed = tally.above;
  for (let bin = binsOf(window) - 1; bin >= 0; bin--) {
    const inside = tally.histogram[bin] ?? 0;
    if (passed + inside >= keep) return zoom(selection, { bin, passed, inside }, maximumBins);
    passed += inside;
  }
  return { ...selection, window: windowOver(0, window.low, maximumBins) };
}

function zoom(
  selection: Selection,
  {
    bin,
    passed,
    inside,
  }: { readonly bin: number; readonly passed: number; readonly inside: number },
  maximumBins: number,
): Selection {
  const { keep, window } = selection;
  const low = window.low + bin * 2 ** window.shift;
  if (window.shift === 0)
    return { ...selection, found: { bits: low, remaining: keep - passed, equal: inside } };
  const high = Math.min(low + 2 ** window.shift, window.high);
  return { ...selection, window: windowOver(low, high, maximumBins) };
}
