import { describe, expect, it } from 'vitest';
import type { Figure } from '../../../server/engine/sketch/figures';
import { evaluationOf, generator, parametersFor, planOf, sketchOf, type TestTensor } from './zoo';

const tasks = ['a', 'b', 'c'];
const zoos = 330;

type Random = ReturnType<typeof generator>;
/** Fills one task vector of a kind; `common` is shared by the tasks of a tensor. */
type Kind = (
  into: Float32Array,
  shape: { rows: number; columns: number },
  random: Random,
  common: Float32Array,
) => void;

const eachElement =
  (draw: (random: Random, common: number, row: number, column: number) => number): Kind =>
  (into, { columns }, random, common) => {
    for (let i = 0; i < into.length; i++)
      into[i] = draw(random, common[i], Math.floor(i / columns), i % columns);
  };

function rowScaled(sigma: number): Kind {
  return (into, { rows, columns }, random) => {
    for (let r = 0; r < rows; r++) {
      const scale = Math.exp(sigma * random.normal());
      for (let c = 0; c < columns; c++) into[r * columns + c] = scale * random.normal();
    }
  };
}

function columnScaled(into: Float32Array, { columns }: { columns: number }, random: Random): void {
  const scales = Float64Array.from({ length: columns }, () => Math.exp(random.normal()));
  for (let i = 0; i < into.length; i++) into[i] = scales[i % columns] * random.normal();
}

function lowRank(
  into: Float32Array,
  { rows, columns }: { rows: number; columns: number },
  random: Random,
): void {
  const rank = 8;
  const a = Float64Array.from({ length: rank * columns }, () => random.normal());
  for (let r = 0; r < rows; r++) {
    const b = Array.from({ length: rank }, () => random.normal());
    for (let c = 0; c < columns; c++) {
      let sum = 0.2 * random.normal();
      for (let k = 0; k < rank; k++) sum += b[k] * a[k * columns + c];
      into[r * columns + c] = sum;
    }
  }
}

const kinds: Readonly<Record<string, Kind>> = {
  gaussian: eachElement((random) => random.normal()),
  laplace: eachElement(
    (random) => Math.sign(random.uniform() - 0.5) * Math.log(1 - random.uniform()),
  ),
  correlated: eachElement((random, common) => 0.7 * common + 0.7 * random.normal()),
  student3: eachElement(
    (random) =>
      random.normal() /
      Math.sqrt((random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2) / 3),
  ),
  rounded: eachElement((random) => Math.round(2 * random.normal()) / 2),
  rows: rowScaled(0.5),
  heavyRows: rowScaled(1),
  columns: columnScaled,
  lowRank,
  halfTouched: eachElement((random, _, row) => (row % 2 === 0 ? random.normal() : 0)),
  pages: eachElement(
    (random, _, row, column) => (((row * 512 + column) >> 11) % 8 === 0 ? 3 : 1) * random.normal(),
  ),
};

function drawTensor(name: string, random: Random): TestTensor {
  const rows = 110 + Math.floor(random.uniform() * 90);
  const columns = 310 + Math.floor(random.uniform() * 110);
  const names = Object.keys(kinds);
  const kind = kinds[names[Math.floor(random.uniform() * names.length)]];
  const common = Float32Array.from({ length: rows * columns }, () => random.normal());
  const taskVectors = tasks.map(() => {
    const values = new Float32Array(rows * columns);
    kind(values, { rows, columns }, random, common);
    return values;
  });
  return { name, rows, columns, taskVectors };
}

interface Score {
  inside: number;
  total: number;
}

function score(
  into: Score,
  estimate: Figure | null | undefined,
  exact: Figure | null | undefined,
): void {
  if (typeof estimate !== 'object' || estimate === null || typeof exact !== 'number') return;
  into.total++;
  const rounding = 1e-9 * Math.max(1, Math.abs(exact));
  if (estimate.low! - rounding <= exact && exact <= estimate.high! + rounding) into.inside++;
}

describe('95 % intervals over random zoos', () => {
  const families: Record<string, Score> = {};
  const family = (name: string): Score => (families[name] ??= { inside: 0, total: 0 });

  it('are computed', () => {
    for (let seed = 1; seed <= zoos; seed++) {
      const random = generator(seed * 7919);
      const tensors = ['x', 'y'].map((name) => drawTensor(name, random));
      const parameters = parametersFor(3, {
        lambda: 0.2 + random.uniform(),
        alpha: 0.3 + 1.2 * random.uniform(),
      });
      const plan = planOf(tensors, parameters);
      const sampled = evaluationOf(sketchOf(tensors, tasks, { seed, whole: false })).report(plan);
      const whole = evaluationOf(sketchOf(tensors, tasks, { seed, whole: true })).report(plan);
      expect(whole.exact).toBe(true);
      [...sampled.tensors, sampled.total].forEach((figures, i) => {
        const exact = [...whole.tensors, whole.total][i];
        for (const task of tasks)
          score(family('active'), figures.active?.[task], exact.active?.[task]);
        figures.coverage?.forEach((figure, c) =>
          score(family('coverage'), figure, exact.coverage?.[c]),
        );
        score(
          family('selfish of retained'),
          figures.selfish_of_retained,
          exact.selfish_of_retained,
        );
        for (const pair of Object.keys(figures.sign_conflict))
          score(family('sign conflict'), figures.sign_conflict[pair], exact.sign_conflict[pair]);
      });
    }
  }, 600_000);

  it.each(['active', 'coverage', 'selfish of retained', 'sign conflict'])(
    'cover the exact value as often as they say: %s',
    (name) => {
      const { inside, total } = families[name];
      expect(total).toBeGreaterThanOrEqual(900);
      expect(inside / total).toBeGreaterThan(0.93);
      expect(inside / total).toBeLessThan(0.98);
      console.log(
        `${name}: ${String(inside)} of ${String(total)} intervals cover (${((100 * inside) / total).toFixed(1)} %)`,
      );
    },
  );
});

describe('Gaussian task vectors', () => {
  it.each([2, 3, 4])('give the closed form of the active ratio for %d tasks', (count) => {
    const random = generator(count);
    const names = Array.from({ length: count }, (_, i) => `t${String(i)}`);
    const taskVectors = names.map(() =>
      Float32Array.from({ length: 512 * 512 }, () => random.normal()),
    );
    const tensors = [{ name: 'w', rows: 512, columns: 512, taskVectors }];
    const report = evaluationOf(sketchOf(tensors, names, { seed: 1, whole: false })).report(
      planOf(tensors, parametersFor(count)),
    );
    const expected = (1 - (2 / Math.PI) * Math.atan(0.6 * Math.sqrt(count - 1))) * 512 * 512;
    const inside = names.filter((task) => {
      const figure = report.total.active?.[task];
      return typeof figure === 'object' && figure.low! <= expected && expected <= figure.high!;
    });
    expect(inside.length).toBeGreaterThanOrEqual(count - 1);
  });
});
