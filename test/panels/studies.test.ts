import { describe, expect, it } from 'vitest';
import type { EpisodeLine } from '../../server/protocol/episode-line';
import { componentRows } from '../../server/evaluate/rates/paper';
import { studiesOf, type StudyPoint, type StudySweep } from '../../src/panels/study-view';

function rollouts(task: string, outcomes: readonly boolean[], policy = 'merged'): EpisodeLine[] {
  return outcomes.map((success, seed) => ({ policy, task, seed, success, steps: 10 }));
}

const point = (
  run: string,
  values: StudyPoint['values'],
  lines: readonly EpisodeLine[],
  rest?: string,
): StudyPoint => ({ run, values, lines, ...(rest === undefined ? {} : { rest }) });

const blocks: StudySweep = {
  name: 'cubes-blocks',
  created: '2026-01-02T00:00:00Z',
  points: [
    point('/4', { 'merge.scope.blocks.to': 4 }, []),
    point(
      '/1',
      { 'merge.scope.blocks.to': 1 },
      [
        ...rollouts('a', [true, true, false]),
        ...rollouts('b', [false, false]),
        ...rollouts('a', [false], 'experts'),
      ],
      'a',
    ),
  ],
};

const part = (run: string, components: readonly string[], lines: readonly EpisodeLine[]) =>
  point(run, { 'merge.scope.components': components, 'merge.rest': 'a' }, lines);

const components: StudySweep = {
  name: 'cubes-components',
  created: '2026-01-01T00:00:00Z',
  points: [
    part('/A', ['A'], rollouts('a', [true, false])),
    part('/A2', ['A'], rollouts('b', [true, true])),
    part('/C', ['C'], rollouts('a', [false])),
    part('/ABC', ['A', 'B', 'C'], rollouts('a', [true])),
  ],
};

describe('studies in the success panel', () => {
  it('show success over merged blocks on the task of the unmerged rest', () => {
    const [study] = studiesOf([blocks], 'wilson');
    expect(study).toMatchObject({ kind: 'progressive' });
    expect(study?.title).toBe('cubes-blocks · 1 of 2 points · 6 rollouts');
    const points = study?.points.map(({ x, cell, run }) => [x, cell?.successes, cell?.trials, run]);
    expect(points).toEqual([
      [1, 2, 3, '/1'],
      [4, undefined, undefined, '/4'],
    ]);
    expect(study?.statements.length).toBeGreaterThan(0);
    const tuning = blocks.points.map((each) => ({ ...each, range: 'validation' as const }));
    const [tuned] = studiesOf([{ ...blocks, points: tuning }], 'wilson');
    expect(tuned?.title).toBe('cubes-blocks · 1 of 2 points · 6 rollouts · validation seeds');
  });

  it('show parts in the order of the paper, those it has not behind them', () => {
    const [study] = studiesOf([components], 'wilson');
    const labels = study?.points.map(({ label }) => label);
    expect(labels).toEqual([...componentRows.map(([label]) => label), 'A + B + C']);
    const of = (label: string) => study?.points.find((each) => each.label === label);
    expect(of('A vision')?.cell).toMatchObject({ successes: 3, trials: 4 });
    expect(of('A vision')?.run).toBeUndefined();
    expect(of('A vision')?.paper).toBeCloseTo(0.474);
    expect(of('C LM body')?.run).toBe('/C');
    expect(of('D lm_head')?.cell).toBeNull();
    expect(of('A + B + C')?.paper).toBeUndefined();
  });

  it('are the newest of their kind that has rollouts', () => {
    const empty = { ...blocks, created: '2026-02-01T00:00:00Z', points: blocks.points.slice(0, 1) };
    const old = { ...blocks, name: 'old', created: '2025-01-01T00:00:00Z' };
    const other = { ...blocks, points: [point('/x', { 'merge.alpha': 1 }, rollouts('a', [true]))] };
    const found = studiesOf([old, empty, blocks, components, other], 'exact');
    expect(found.map(({ kind, title }) => [kind, title.split(' ')[0]])).toEqual([
      ['progressive', 'cubes-blocks'],
      ['components', 'cubes-components'],
    ]);
    expect(studiesOf([other], 'wilson')).toEqual([]);
  });
});
