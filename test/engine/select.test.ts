import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainStages } from '../../server/engine/plain-stages';
import { binsOf, refine, startFromSample, startSelection } from '../../server/engine/select';

/** Runs the passes over one array and applies the cut. */
function keepLargest(values: Float32Array, keep: number, bins: number, sample?: Uint32Array) {
  let selection = startSelection(keep, values.length, bins);
  if (sample) selection = startFromSample(selection, values.length, sample, bins);
  let passes = 0;
  while (!selection.found) {
    const histogram = new Uint32Array(binsOf(selection.window));
    const above = plainStages.tally(values, selection.window, histogram, values.length);
    selection = refine(selection, { above, histogram }, bins);
    if (++passes > 40) throw new Error('no end');
  }
  const kept = new Float32Array(values.length);
  const { bits, remaining } = selection.found;
  plainStages.trim(values, { threshold: bits, remaining }, kept, values.length);
  return kept;
}

/** By sorting, equal magnitudes by rising index. */
function bySorting(values: Float32Array, keep: number): Float32Array {
  const order = [...values.keys()].sort(
    (a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b,
  );
  const kept = new Float32Array(values.length);
  for (const i of order.slice(0, keep)) kept[i] = values[i];
  return kept;
}

const floats = fc
  .array(fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, 0.5, -0.5, 0.25)), {
    minLength: 1,
    maxLength: 200,
  })
  .map((values) => Float32Array.from(values));

describe('selection of the largest magnitudes', () => {
  it('keeps exactly k, lower indices first among equal ones, whatever the number of bins', () => {
    fc.assert(
      fc.property(
        floats,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(3),
        (values, share, w) => {
          const keep = Math.floor(values.length * share);
          const bins = [4, 64, 4096, 1 << 16][w];
          expect(keepLargest(values, keep, bins)).toEqual(bySorting(values, keep));
        },
      ),
    );
  });

  it('does not depend on the sample that its first window comes from', () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i * i) / (1 + (i % 7)));
    const bits = new Uint32Array(values.slice().buffer).map((b) => b & 0x7fffffff).sort();
    const misleading = new Uint32Array(2000).fill(0x3f000000);
    for (const keep of [1, 40, 1000, 4999])
      for (const sample of [bits, misleading])
        expect(keepLargest(values, keep, 4096, sample)).toEqual(bySorting(values, keep));
  });
});
