import { describe, expect, it, vi } from 'vitest';
import { makeColumns } from '../../server/engine/stages';
import { readOnDemand } from '../../server/jobs/matrix-reader';

const value = (task: number, i: number): number => 100 * task + i;

function gatherer() {
  return vi.fn(({ start, end }: { start: number; end: number }) => {
    const n = end - start;
    const data = Float32Array.from({ length: 2 * n }, (_, at) =>
      value(Math.floor(at / n), start + (at % n)),
    );
    return makeColumns(data, n, 2);
  });
}

describe('task vectors read on demand', () => {
  it('are read once where all is kept, for all tasks together', () => {
    const gather = gatherer();
    const vectors = readOnDemand(2, gather, 'all');
    expect(vectors.count).toBe(2);
    for (let pass = 0; pass < 3; pass++) {
      expect([...vectors.read(0, 0, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
      expect([...vectors.read(1, 0, 6)]).toEqual([100, 101, 102, 103, 104, 105]);
      expect([...vectors.read(1, 6, 10)]).toEqual([106, 107, 108, 109]);
    }
    expect(gather).toHaveBeenCalledTimes(2);
  });

  it('are read again in every pass where only the last is kept', () => {
    const gather = gatherer();
    const vectors = readOnDemand(2, gather, 'last');
    for (let pass = 0; pass < 3; pass++) {
      expect([...vectors.read(1, 0, 6)]).toEqual([100, 101, 102, 103, 104, 105]);
      expect([...vectors.read(0, 0, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
      expect([...vectors.read(0, 6, 10)]).toEqual([6, 7, 8, 9]);
    }
    expect(gather).toHaveBeenCalledTimes(6);
  });
});
