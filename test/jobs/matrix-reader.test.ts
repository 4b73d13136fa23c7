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
  it('are read once where they fit, for all tasks together', () => {
    const gather = gatherer();
    const vectors = readOnDemand(2, gather, 4 * 2 * 10);
    expect(vectors.count).toBe(2);
    for (let pass = 0; pass < 3; pass++) {
      expect([...vectors.read(0, 0, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
      expect([...vectors.read(1, 0, 6)]).toEqual([100, 101, 102, 103, 104, 105]);
      expect([...vectors.read(1, 6, 10)]).toEqual([106, 107, 108, 109]);
    }
    expect(gather).toHaveBeenCalledTimes(2);
  });

  it('are read again in every pass where they do not', () => {
    const gather = gatherer();
    const vectors = readOnDemand(2, gather, 4 * 2 * 7);
    for (let pass = 0; pass < 3; pass++) {
      expect([...vectors.read(1, 0, 6)]).toEqual([100, 101, 102, 103, 104, 105]);
      expect([...vectors.read(0, 0, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
      expect([...vectors.read(0, 6, 10)]).toEqual([6, 7, 8, 9]);
    }
    expect(gather).toHaveBeenCalledTimes(6);
  });

  it('are read even where one run alone is larger than what is held', () => {
    const vectors = readOnDemand(2, gatherer(), 1);
    expect([...vectors.read(1, 2, 4)]).toEqual([102, 103]);
  });
});
