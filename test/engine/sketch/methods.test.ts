import { describe, expect, it } from 'vitest';
import { firstRounds } from '../../../server/engine/sketch/sketch';
import { samplePositions } from '../../../server/engine/sketch/positions';
import { evaluationOf, generator, parametersFor, planOf, sketchOf, type TestTensor } from './zoo';

const tasks = ['a', 'b', 'c'];

function drawn(seed: number, rows = 300, columns = 400): TestTensor[] {
  const random = generator(seed);
  return ['x', 'y'].map((name) => ({
    name,
    rows,
    columns,
    taskVectors: tasks.map(() =>
      Float32Array.from({ length: rows * columns }, () => random.normal()),
    ),
  }));
}

describe('a sketch', () => {
  it('takes the same positions whatever else is sampled', () => {
    const once = samplePositions({ name: 'w', elements: 500_000 }, { seed: 3, whole: false });
    const again = samplePositions({ name: 'w', elements: 500_000 }, { seed: 3, whole: false });
    expect(again).toEqual(once);
    expect(once.clusters).toHaveLength(64);
    expect(once.clusters.filter(({ round }) => round === 0)).toHaveLength(16);
    expect(new Set(once.clusters.map(({ start }) => start)).size).toBe(64);
  });

  it('takes more of a large tensor and all of a small one', () => {
    const embedding = samplePositions(
      { name: 'e', elements: 151_936 * 896 },
      { seed: 0, whole: false },
    );
    expect(embedding.clusters).toHaveLength(184);
    const norm = samplePositions({ name: 'n', elements: 896 }, { seed: 0, whole: false });
    expect(norm).toMatchObject({ whole: true, populations: [4] });
    expect(norm.clusters.at(-1)).toMatchObject({ start: 768, length: 128 });
    expect(
      samplePositions({ name: 's', elements: 1 }, { seed: 0, whole: false }).clusters,
    ).toHaveLength(1);
  });

  const methods = [
    ['average', { method: 'average', normalize: true }, {}],
    ['task_arithmetic', {}, { alpha: 0.4 }],
    ['ties, trimmed over the model', { method: 'ties' }, { density: 0.2 }],
    [
      'ties, trimmed per tensor, mean',
      { method: 'ties', trim_scope: 'tensor', agree: 'mean' },
      { density: 0.5 },
    ],
    ['dare_linear', { method: 'dare_linear' }, { density: 0.5 }],
    ['dare_ties', { method: 'dare_ties', rescale: 'l1' }, { density: 0.3 }],
    ['breadcrumbs', { method: 'breadcrumbs' }, { density: 0.8 }],
    ['breadcrumbs_ties', { method: 'breadcrumbs_ties' }, { density: 0.8 }],
    ['della_linear', { method: 'della_linear', rescale: 'l1' }, { density: 0.5 }],
    ['model_stock', { method: 'model_stock', filter_wise: false }, {}],
    ['emr', { method: 'emr' }, {}],
  ] as const;

  it.each(methods)('estimates %s near its exact numbers', (_, changes, parameters) => {
    const tensors = drawn(7);
    const plan = planOf(tensors, parametersFor(3, parameters), changes);
    const sampled = evaluationOf(sketchOf(tensors, tasks, { seed: 1, whole: false })).report(plan);
    const exact = evaluationOf(sketchOf(tensors, tasks, { seed: 1, whole: true })).report(plan);
    for (const task of tasks) {
      const estimate = sampled.total.active?.[task];
      const truth = exact.total.active?.[task];
      if (typeof estimate !== 'object' || typeof truth !== 'number') throw new Error('no figure');
      expect(Math.abs(estimate.value - truth) / exact.total.elements).toBeLessThan(0.015);
    }
  });

  it('is refined by later rounds, and its first round is a prefix', () => {
    const tensors = drawn(11);
    const sketch = sketchOf(tensors, tasks, { seed: 2, whole: false });
    const plan = planOf(tensors, parametersFor(3));
    const width = (report: ReturnType<ReturnType<typeof evaluationOf>['report']>): number => {
      const figure = report.total.active?.['a'];
      return typeof figure === 'object' ? figure.high! - figure.low! : 0;
    };
    const first = evaluationOf(firstRounds(sketch, 0)).report(plan);
    const all = evaluationOf(sketch).report(plan);
    expect(first.round).toBe(0);
    // What a slider's frame stands on is its own share, not that of all rounds.
    const elements = tensors.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    const read = (rounds: number) =>
      sketch.tensors
        .flatMap(({ clusters }) => clusters)
        .reduce((sum, { round, length }) => sum + (round <= rounds ? length : 0), 0);
    expect(first.share).toBeCloseTo(read(0) / elements, 12);
    expect(all.share).toBeCloseTo(read(2) / elements, 12);
    expect(first.share).toBeLessThan(all.share);
    expect(width(all)).toBeLessThan(width(first));
  });

  it('leaves tensors without a sampled change out of every sum', () => {
    const [x, y] = drawn(13);
    const tensors = [
      x,
      { ...y, taskVectors: tasks.map(() => new Float32Array(y.rows * y.columns)) },
    ];
    const report = evaluationOf(sketchOf(tensors, tasks, { seed: 1, whole: false })).report(
      planOf(tensors, parametersFor(3)),
    );
    expect(report.unchanged).toEqual(['y']);
    expect(report.total.elements).toBe(x.rows * x.columns);
  });

  it('gives no figure to a tensor with NaN and names it', () => {
    const tensors = drawn(17);
    const sketch = sketchOf(tensors, tasks, { seed: 1, whole: false });
    const broken = {
      ...sketch,
      tensors: sketch.tensors.map((t) => (t.name === 'x' ? { ...t, nonfinite: true } : t)),
    };
    const report = evaluationOf(broken).report(planOf(tensors, parametersFor(3)));
    expect(report.nonfinite).toEqual(['x']);
    expect(report.tensors.map(({ name }) => name)).toEqual(['y']);
  });

  it('answers for one task, where the mask is on wherever the task changed anything', () => {
    const [x] = drawn(19);
    const one = [{ ...x, taskVectors: x.taskVectors.slice(0, 1) }];
    const report = evaluationOf(sketchOf(one, ['a'], { seed: 1, whole: true })).report(
      planOf(one, parametersFor(1)),
    );
    expect(report.total.active?.['a']).toBe(x.rows * x.columns);
    expect(report.total.cosine).toEqual({});
  });

  it('answers for 64 tasks', () => {
    const random = generator(23);
    const names = Array.from({ length: 64 }, (_, i) => `t${String(i)}`);
    const taskVectors = names.map(() =>
      Float32Array.from({ length: 200 * 256 }, () => random.normal()),
    );
    const tensors = [{ name: 'w', rows: 200, columns: 256, taskVectors }];
    const report = evaluationOf(sketchOf(tensors, names, { seed: 1, whole: false })).report(
      planOf(tensors, parametersFor(64)),
    );
    expect(report.total.coverage).toHaveLength(65);
    expect(Object.keys(report.total.cosine)).toHaveLength(2016);
  });

  it('keeps nothing of where a slider was: every answer is that of a new evaluation', () => {
    const tensors = drawn(29);
    const sketch = sketchOf(tensors, tasks, { seed: 1, whole: false });
    const moving = evaluationOf(sketch);
    const stops = [
      [{ lambda: 0.3 }, {}, 0],
      [{ lambda: 0.9, alpha: 0.7 }, {}, 0],
      [{ lambda: 0.9, alpha: 0.7 }, {}, 2],
      [{ density: 0.4 }, { method: 'ties' }, 0],
      [{ density: 0.4, alpha: 1.3 }, { method: 'ties' }, 0],
      [{}, { method: 'emr' }, 0],
      [{ lambda: 0.3 }, {}, 0],
    ] as const;
    for (const [numbers, method, consensus] of stops) {
      const rule = 'method' in method && method.method === 'emr' ? 'emr' : 'tall';
      const plan = {
        ...planOf(tensors, parametersFor(3, numbers), method),
        masks: { rule, consensus },
      } as const;
      expect(moving.report(plan)).toEqual(evaluationOf(sketch).report(plan));
    }
    const only = planOf(tensors.slice(1), parametersFor(3));
    expect(moving.report(only)).toEqual(evaluationOf(sketch).report(only));
  });
});
