import { describe, expect, it } from 'vitest';
import type { EpisodeLine } from '../../server/protocol/episode-line';
import { parseEpisodeLines } from '../../server/protocol/episode-line';
import { importedPolicies } from '../../server/evaluate/rates/imported';
import { componentRows, paperGroup } from '../../server/evaluate/rates/paper';
import type { PolicyRollouts } from '../../server/evaluate/rates/table';
import { sumEpisodes } from '../../server/evaluate/rates/rollouts';
import { comparePolicies, lettersAmong, successTable } from '../../server/evaluate/rates/table';
import { cellText } from '../../server/evaluate/rates/text';
import { toCsv, toLatex, toMarkdown } from '../../server/evaluate/rates/write';

const line = (seed: number, success: boolean, more: Partial<EpisodeLine> = {}): EpisodeLine => ({
  policy: 'routed',
  task: 'pick_place',
  seed,
  success,
  steps: 80,
  ...more,
});

function policy(id: string, outcomes: readonly boolean[], first = 0): PolicyRollouts {
  const tasks = sumEpisodes(outcomes.map((success, i) => line(first + i, success)));
  return { id, label: id, detail: '', tasks, state: 'done' };
}

const options = { tasks: ['pick_place'], interval: 'wilson' as const, protocol: 'so101-cubes' };
const times = (n: number, value: boolean) => Array.from({ length: n }, () => value);

describe('sums of episodes', () => {
  it('count a crash apart and the later of two lines with one seed', () => {
    const sums = sumEpisodes([
      line(1, false),
      line(1, true),
      line(2, false, { error: 'out of memory' }),
      line(3, false, { routed: 'push_cube' }),
      line(4, true, { routed: 'pick_place' }),
    ]).get('pick_place');
    expect(sums).toMatchObject({
      successes: 2,
      trials: 3,
      errors: 1,
      steps: 240,
      routes: { push_cube: 1, pick_place: 1 },
    });
  });

  it('skip lines that are cut or foreign', () => {
    const whole = JSON.stringify(line(1, true));
    const text = `${whole}\n{"policy":1}\nnoise\n${whole.slice(0, 30)}`;
    expect(parseEpisodeLines(text)).toEqual([line(1, true)]);
  });
});

describe('comparison of two policies', () => {
  it('pairs shared seeds by McNemar', () => {
    const a = policy('a', [...times(14, true), ...times(79, true), ...times(7, false)]);
    const b = policy('b', [...times(14, false), ...times(79, true), ...times(7, true)]);
    const found = comparePolicies(a, b);
    expect(found).toMatchObject({ test: 'mcnemar', pairs: { shared: 100, first: 14, second: 7 } });
    expect(found.p).toBeCloseTo(0.1892, 4);
    expect(found.difference).toBeCloseTo(0.07, 10);
    expect(found.verdict).toBe('not told apart');
  });

  it('takes Barnard where the seeds differ', () => {
    const a = policy('a', [...times(18, true), ...times(2, false)]);
    const b = policy('b', [...times(12, true), ...times(8, false)], 100);
    const found = comparePolicies(a, b);
    expect(found.test).toBe('barnard');
    expect(found.p).toBeCloseTo(0.0386, 4);
    expect(found.verdict).toBe('better');
  });
});

describe('letters among some policies', () => {
  // On shared seeds only the first ones succeed where another fails: 7 against 0 gives p = 0.0156.
  const best = policy('best', times(40, true));
  const worst = policy('worst', [...times(33, true), ...times(7, false)]);
  const between = (id: string) => policy(id, [...times(37, true), ...times(3, false)]);

  it('are corrected over the pairs of these alone', () => {
    const three = lettersAmong([best, between('c'), worst]);
    expect(three.letters).toEqual({ best: 'a', c: 'ab', worst: 'b' });
    expect(three.test).toBe('McNemar on shared seeds, Holm, 5 %');
    // Ten pairs need p below 0.005.
    const five = lettersAmong([best, between('c'), between('d'), between('e'), worst]);
    expect(new Set(Object.values(five.letters))).toEqual(new Set(['a']));
  });

  it('wait for one that is still running, and say when a pair shares no seeds', () => {
    const running: PolicyRollouts = { ...between('live'), state: 'running' };
    const elsewhere = policy('elsewhere', times(40, false), 1000);
    const found = lettersAmong([best, running, worst, elsewhere]);
    expect(found.waiting).toEqual(['live']);
    expect(Object.keys(found.letters)).toEqual(['best', 'worst', 'elsewhere']);
    expect(found.test).toBe('McNemar on shared seeds, Barnard otherwise, Holm, 5 %');
    expect(lettersAmong([best, running]).letters).toEqual({});
  });

  it('and the comparison of two decide nothing while one is running', () => {
    const tasks = new Map(worst.tasks);
    const [[task, sum] = []] = [...tasks];
    if (task !== undefined && sum) tasks.set(task, { ...sum, planned: 100 });
    const running: PolicyRollouts = { ...worst, tasks, state: 'running' };
    expect(comparePolicies(best, running).after).toBe(100);
    expect(comparePolicies(best, worst)).not.toHaveProperty('after');
  });
});

describe('the table', () => {
  const good = policy('good', times(40, true));
  const bad = policy('bad', times(40, false));
  const running: PolicyRollouts = { ...policy('live', times(5, true)), state: 'running' };

  it('gives letters to finished policies only, the best being a', () => {
    const { groups, letterTest } = successTable(
      [{ title: 'bench', policies: [bad, good, running] }],
      options,
    );
    expect(groups[0]?.rows.map(({ letters }) => letters)).toEqual(['b', 'a', undefined]);
    expect(groups[0]?.rows[2]).toMatchObject({ state: 'running', progress: { done: 5, total: 5 } });
    expect(groups[0]?.rows[2]?.mean).toBeUndefined();
    expect(letterTest).toContain('McNemar');
  });

  it('keeps a task that was not run empty', () => {
    const { groups } = successTable([{ title: '', policies: [good] }], {
      ...options,
      tasks: ['pick_place', 'stack_cube'],
    });
    expect(groups[0]?.rows[0]?.cells[1]).toBeNull();
    expect(groups[0]?.rows[0]?.mean).toBeUndefined();
  });

  it('puts the paper beside ours without touching its printed means', () => {
    const group = paperGroup('so101', ['pick_place', 'push_cube', 'stack_cube'], 'wilson');
    expect(group?.rows[1]).toMatchObject({
      label: 'MergeVLA',
      detail: 'TA',
      mean: { value: 0.667 },
      state: 'paper',
    });
    expect(group?.rows[1]?.cells[2]).toMatchObject({ successes: 12, trials: 20, printed: 0.6 });
    expect(group?.rows.every(({ letters }) => letters === undefined)).toBe(true);
    expect(paperGroup('so101', ['libero_goal'], 'wilson')).toBeUndefined();
    expect(paperGroup('none', [], 'wilson')).toBeUndefined();
    expect(componentRows).toContainEqual(['C LM body', 0]);
  });

  it('is written as Markdown, LaTeX and CSV, escaped', () => {
    const odd: PolicyRollouts = { ...good, label: 'a_b|c', detail: '50 %' };
    const table = successTable([{ title: 'bench', policies: [odd, bad] }], options);
    expect(toMarkdown(table)).toContain('a\\_b\\|c 50 % | 40/40  100 %  [91, 100]');
    expect(toLatex(table)).toContain('a\\_b|c 50 \\% & 40/40  100 \\%');
    expect(toLatex(table)).toContain('\\toprule');
    expect(toCsv(table).split('\n')[1]).toMatch(/^bench,a_b\|c,50 %,pick_place,40,40,1,0\.91/);
  });
});

describe('a cell as text', () => {
  const counts = { successes: 50, trials: 100, low: 0.404, high: 0.596 };

  it.each([
    [counts, '50/100  50 %  [40, 60]'],
    [{ ...counts, trials: 200, errors: 2 }, '50/200  25.0 %  [40.4, 59.6] +2 crashed'],
    [{ ...counts, trials: 0 }, '–'],
    [{ ...counts, trials: 0, printed: 0.57 }, '57 %'],
    [{ ...counts, trials: 0, printed: 0.474 }, '47.4 %'],
  ])('has counts where there are some: %o', (cell, text) => {
    expect(cellText(cell)).toBe(text);
  });
});

describe('imported policies', () => {
  const episode = { policy: 'x', task: 't', episode: 0, success: true };

  it('are paired only by seeds of their own', () => {
    const [plain] = importedPolicies([
      { episodes: [episode, { ...episode, episode: 1 }], counts: [] },
    ]);
    expect(plain?.tasks.get('t')).toMatchObject({ successes: 2, trials: 2 });
    expect(plain?.tasks.get('t')?.bySeed.size).toBe(0);
    const [seeded] = importedPolicies([{ episodes: [{ ...episode, seed: 4 }], counts: [] }]);
    expect(seeded?.tasks.get('t')?.bySeed.get(4)).toBe(true);
  });

  it('take counts without episodes, and stay partial', () => {
    const counts = [{ policy: 'y', task: 't', successes: 3, trials: 5 }];
    const [found] = importedPolicies([{ episodes: [], counts, partial: 'shard 0 of 2' }]);
    expect(found).toMatchObject({ state: 'partial', note: 'shard 0 of 2' });
    expect(found?.tasks.get('t')).toMatchObject({ successes: 3, trials: 5, errors: 0 });
  });
});
