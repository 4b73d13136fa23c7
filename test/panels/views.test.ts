import { describe, expect, it } from 'vitest';
import type { EvaluationRecord } from '../../server/protocol/evaluation-record';
import type { MergeReport } from '../../server/protocol/report';
import type { MaskRatioAnswer } from '../../server/protocol/panels/mask-ratios';
import { isFromMaskPanel } from '../../server/protocol/panels/mask-ratios';
import { isToMaskPanel } from '../../server/protocol/panels/mask-ratios-guards';
import { isFromSuccessPanel } from '../../server/protocol/panels/success-rates-guards';
import { isFromRoutingPanel } from '../../server/protocol/panels/routing';
import { pageHtml } from '../../src/panels/html';
import {
  drawerView,
  globOf,
  maskSections,
  maskView,
  selectionTitle,
} from '../../src/panels/mask-view';
import { pairingOf, recordedEpisodes, routedSet } from '../../src/panels/routing-view';
import { compileGlob } from '../../server/recipe/globs';
import type { RunEpisodes } from '../../src/panels/success-view';
import { allEpisodes, crossRow, episodeList, policyRow } from '../../src/panels/episode-view';
import { toCsv } from '../../server/evaluate/rates/write';
import { crossTable, rateTable } from '../../src/panels/success-view';

const metrics = (elements: number, active: number) => ({
  elements,
  active: { a: active, b: elements / 4 },
  coverage: [elements / 4, elements / 2, elements / 4],
  norm: { base: 10, merged: 1, a: 0.2, b: 0.4 },
  cosine: { 'a|b': 0.1 },
  sign_conflict: { 'a|b': 0.47 },
});

const report: MergeReport = {
  tasks: ['a', 'b'],
  exact: true,
  tensors: [],
  blocks: [
    { component: 'language_model', block: 1, ...metrics(100, 40) },
    { component: 'language_model', block: 0, ...metrics(100, 20) },
    { component: 'projector', block: null, ...metrics(40, 10) },
  ],
  components: { language_model: metrics(200, 60), projector: metrics(40, 10) },
  total: metrics(240, 70),
};

const parameters = { lambda: 0.6, alpha: 1, density: 1 };
const answer: MaskRatioAnswer = {
  n: 3,
  recipe: {
    name: 'x',
    hash: '3f9a01c7',
    method: 'ties',
    tasks: ['a', 'b'],
    missing: [],
    tensors: 5,
    elements: 240,
    saved: parameters,
    uses: { lambda: true, alpha: true, density: true },
  },
  parameters,
  source: { kind: 'exact', run: 'r' },
  report,
};

describe('the mask panel gets', () => {
  it('shares in network order, blocks sorted', () => {
    const view = maskView(answer);
    expect(isToMaskPanel({ type: 'view', revision: 1, view })).toBe(true);
    expect(
      maskSections(answer).map(({ component, blocks }) => [component, blocks.map((b) => b.label)]),
    ).toEqual([
      ['language_model', ['0', '1']],
      ['projector', ['rest']],
    ]);
    expect([...view.active].slice(0, 6)).toEqual([0.2, 0.2, 0.2, 0.4, 0.4, 0.4]);
    expect(view.totals[0]).toEqual({ label: 'Language model', active: [0.3, 0.25] });
    expect(view.selfishOfRetained).toBeCloseTo(2 / 3, 12);
    expect(view.cosine).toEqual([null, 0.1, 0.1, null]);
    expect(view.norms.map((norm) => Number(norm).toFixed(6))).toEqual(['0.020000', '0.040000']);
    expect(view.sentences.totals).toBe(
      'Language model: a keeps 30 %, b keeps 25 %; Projector: a keeps 25 %, b keeps 25 %',
    );
  });

  it('intervals where there are any, and NaN where there is no number', () => {
    const { elements, coverage, norm, cosine, sign_conflict } = metrics(10, 1);
    const bare = { elements, coverage, norm, cosine, sign_conflict };
    const sampled = {
      ...metrics(100, 0),
      active: { a: { value: 40, low: 30, high: 50 }, b: { value: 20, low: null, high: null } },
    };
    const view = maskView({
      ...answer,
      source: { kind: 'estimate', fractionRead: 0.01, positionsRead: 2 },
      report: {
        ...report,
        blocks: [
          { component: 'c', block: 0, ...sampled },
          { component: 'c', block: 1, ...bare },
        ],
        components: {},
      },
    });
    expect([...view.active].slice(0, 6)).toEqual([0.4, 0.3, 0.5, NaN, NaN, NaN]);
    expect([...view.active].slice(6, 9)).toEqual([0.2, NaN, NaN]);
  });

  it('a title and a glob for blocks and for what is in none', () => {
    const component = 'language_model';
    const inside = { ...answer, report: { ...report, blocks: [...report.blocks] } };
    const title = (from: number | null, to: number | null) =>
      selectionTitle({ component, from, to }, inside);
    expect([title(null, null), title(1, 1), title(null, 1), title(0, 1)]).toEqual([
      'Language model · rest',
      'Language model · block 1',
      'Language model · rest and blocks up to 1',
      'Language model · blocks 0 to 1',
    ]);
    expect(selectionTitle({ component: 'projector', from: null, to: null }, inside)).toBe(
      'Projector',
    );
    const names = ['lm.layers.0.q', 'lm.layers.0.k', 'lm.layers.1.q', 'lm.layers.1.k'];
    const blocks = names.map((name) => ({ name, block: Number(name[10]) }));
    const rest = ['lm.embed', 'lm.norm'].map((name) => ({ name, block: null }));
    expect(globOf(blocks)).toBe('lm.layers.{0,1}.**');
    for (const chosen of [rest, blocks, [...rest, ...blocks], [...rest, ...blocks.slice(2)]]) {
      const matches = compileGlob(globOf(chosen));
      expect([...rest, ...blocks].filter(({ name }) => matches(name))).toEqual(chosen);
    }
  });

  it('the tensors of a selection', () => {
    const tensor = {
      name: 'w',
      component: 'c',
      block: 0,
      kind: 'k',
      shape: [2, 3],
      rule: 'ties',
      ...metrics(6, 3),
    };
    const selection = { title: 't', glob: 'w', tasks: ['a', 'b'] };
    const rows = [{ ...tensor, glob: 'w' }];
    const view = drawerView(rows, { ...selection, fractionRead: 0.5 });
    expect(drawerView(rows, { ...selection, fractionRead: 1 }).positionsRead).toBeUndefined();
    expect(view).toMatchObject({
      positions: 6,
      positionsRead: 3,
      rows: [{ shape: '2 × 3', active: [0.5, 0.25], conflict: 0.47 }],
    });
    expect(view.rows[0]?.norm).toBeCloseTo(0.03, 12);
  });
});

const run = { path: '/w/runs/r', name: 'r', state: 'done' as const };
const base = { policy: 'routed', task: 'pick', seed: 1, success: true, steps: 9, suite: 's' };
const entry: RunEpisodes = {
  run,
  lines: [
    {
      ...base,
      routed: 'pick',
      scores: { pick: 3, push: 2 },
      crossed: { pick: 1, push: 4 },
      replay: 'episodes/1.json',
    },
    {
      ...base,
      seed: 2,
      success: false,
      reason: 'time limit',
      routed: 'push',
      scores: { pick: 2, push: 2.5 },
      crossed: { pick: 2, push: 2 },
    },
    { ...base, task: 'push', routed: 'push', scores: { pick: 1, push: 2 } },
    { ...base, policy: 'experts', expert: 'push', success: false },
    { ...base, policy: 'experts' },
  ],
};

describe('the success panel gets', () => {
  it('rows in the order of the bench, experts only on their own task', () => {
    const found = rateTable([entry], { interval: 'wilson', paper: undefined });
    expect(found?.table.groups[0]?.rows.map(({ label }) => label)).toEqual(['experts', 'routed']);
    expect(found?.table.groups[0]?.rows[0]?.cells[0]).toMatchObject({ successes: 1, trials: 1 });
    expect(found?.table.groups[0]?.rows[1]?.routed).toEqual({ right: 2, known: 3 });
  });

  it('queued cells and rows of what a running job has still to do, and its conditions', () => {
    const plan: EvaluationRecord = {
      ...{ version: 1, tasks: ['pick', 'push'], policies: ['masked', 'routed', 'cross'] },
      ...{ episodes: 3, simulator: 'sim', criteria: { pick: 'in the box' } },
      seeds: { first: 5, last: 7 },
      settings: {
        ...{ suite: 's', shift: 'none', execute: 4, max_steps: null, routing: 'episode' },
        command: null,
      },
    };
    const busy: RunEpisodes = { run: { ...run, state: 'running' }, lines: [base], plan };
    const { table } = rateTable([busy], { interval: 'wilson', paper: undefined }) ?? {};
    expect(table?.tasks).toEqual(['pick', 'push']);
    expect(table?.groups[0]?.rows.map(({ label, state }) => [label, state])).toEqual([
      ['masked', 'queued'],
      ['routed', 'running'],
    ]);
    expect(table?.groups[0]?.rows[1]?.cells).toMatchObject([
      { trials: 1, planned: 3 },
      { trials: 0, planned: 3 },
    ]);
    expect(table?.protocol).toContain('seeds 5 to 7');
    expect(table?.reporting[0]?.facts).toContainEqual(['success of pick', 'in the box']);
    const stopped: RunEpisodes = { ...busy, run: { ...run, state: 'interrupted' } };
    const rows = rateTable([stopped], { interval: 'wilson', paper: undefined })?.table.groups[0];
    expect(rows?.rows.map(({ label, state }) => [label, state])).toEqual([['routed', 'partial']]);
  });

  it('figures of validation seeds apart from results, and named so', () => {
    const settings: EvaluationRecord['settings'] = {
      ...{ suite: 's', shift: 'none', execute: null, max_steps: null, routing: 'episode' },
      ...{ command: null, range: 'validation' },
    };
    const plan: EvaluationRecord = {
      ...{ version: 1, tasks: ['pick', 'push'], policies: ['routed'], episodes: 1, settings },
      ...{ simulator: 'sim', criteria: {}, seeds: { first: 5, last: 5 } },
    };
    const tuned: RunEpisodes = { ...entry, run: { ...run, path: '/tuned' }, plan };
    const table = rateTable([tuned, entry], { interval: 'wilson', paper: undefined })?.table;
    expect(table?.groups.map(({ title, rows }) => [title, rows.map(({ label }) => label)])).toEqual(
      [
        [expect.stringContaining('This bench'), ['experts', 'routed']],
        [
          'Validation seeds · for tuning, no results',
          ['experts (validation seeds)', 'routed (validation seeds)'],
        ],
      ],
    );
    const letters = table?.groups[1]?.rows.map((row) => row.letters);
    expect(letters).toEqual([undefined, undefined]);
    expect(table?.protocol).toContain('validation seeds 5 to 5');
    expect(table && toCsv(table).match(/\(validation seeds\)/g)).toHaveLength(3);
    const cross = crossTable([tuned, entry], 'wilson');
    expect(cross?.protocol).not.toContain('validation');
    expect(cross?.groups[0]?.rows[0]?.cells).toMatchObject([{ trials: 1 }, null]);
  });

  it('manual trials as a group of their own that says who judged', () => {
    const manual = { blind: true, sharedStarts: true, voided: 0, criteria: {}, judge: 'Ada' };
    const judged: RunEpisodes = { ...entry, imported: { seeds: true, counts: [], manual } };
    const groups = rateTable([judged], { interval: 'wilson', paper: undefined })?.table.groups;
    expect(groups?.map(({ title }) => title)).toEqual([
      'Manual trials · blind order · judged by Ada',
    ]);
  });

  it('the cross matrix where an expert ran on another task', () => {
    expect(crossTable([entry], 'wilson')?.groups[0]?.rows.map(({ label }) => label)).toEqual([
      'push',
      'pick',
    ]);
    expect(crossTable([{ run, lines: entry.lines.slice(0, 3) }], 'wilson')).toBeUndefined();
  });

  it('the episodes of a cell, and finds the recording of one', () => {
    const row = policyRow('/w/runs/r', 'routed');
    const list = episodeList([entry], row, 'pick');
    expect(list?.items.map(({ seed, replay, reason }) => [seed, replay, reason])).toEqual([
      [1, true, 'success'],
      [2, false, 'time limit'],
    ]);
    const found = allEpisodes([entry]).find(({ id }) => id === list?.items[0]?.id);
    expect(found?.line.replay).toBe('episodes/1.json');
    expect(episodeList([entry], policyRow('/other', 'routed'), 'pick')).toBeUndefined();
  });

  it('the episodes of the cross matrix apart from those on the own task, the later of two lines', () => {
    const again = { ...base, policy: 'experts', success: false, steps: 7 };
    const runs = [{ run, lines: [...entry.lines, again] }];
    const other = episodeList(runs, crossRow('push'), 'pick');
    expect([other?.label, other?.items.map(({ success }) => success)]).toEqual([
      'push expert · pick',
      [false],
    ]);
    expect(episodeList(runs, crossRow('pick'), 'pick')?.items.map(({ steps }) => steps)).toEqual([
      7,
    ]);
    expect(episodeList(runs, policyRow(run.path, 'experts'), 'pick')?.label).toBe('experts · pick');
    expect(new Set(allEpisodes(runs).map(({ id }) => id)).size).toBe(allEpisodes(runs).length);
  });

  it('the paper alone where nothing was run', () => {
    const found = rateTable([], { interval: 'wilson', paper: 'so101' });
    expect(found?.table.groups).toHaveLength(1);
    expect(rateTable([], { interval: 'wilson', paper: undefined })).toBeUndefined();
  });
});

describe('the routing panel gets', () => {
  it('both pairings, margins against the best other, ties to the lowest index', () => {
    expect(pairingOf(entry)).toBe('same');
    const same = routedSet(entry, 'same');
    expect(same?.episodes.map(({ truth, routed, margin }) => [truth, routed, margin])).toEqual([
      [0, 0, 1],
      [0, 1, -0.5],
      [1, 1, 1],
    ]);
    expect(same?.right).toBeCloseTo(2 / 3, 12);
    const crossed = routedSet(entry, 'crossed');
    expect(crossed?.episodes.map(({ routed }) => routed)).toEqual([1, 0]);
    expect(routedSet({ run, lines: [] }, 'same')).toBeUndefined();
  });

  it('the same scores for a pairing, whichever of the two decided', () => {
    const lines = entry.lines.map((line) => ({ ...line, pairing: 'crossed' as const }));
    expect(pairingOf({ run, lines })).toBe('crossed');
    for (const pairing of ['same', 'crossed'] as const)
      expect(routedSet({ run, lines }, pairing)).toEqual(routedSet(entry, pairing));
  });

  it('the recorded episodes of the routed policy with their files', () => {
    const [first] = allEpisodes([entry]);
    expect(recordedEpisodes(entry)).toEqual([
      { id: first?.id, label: 'seed 1 · pick', file: '/w/runs/r/episodes/1.json' },
    ]);
  });
});

describe('messages from a page', () => {
  it('are refused when they do not fit', () => {
    const bad = [
      null,
      1,
      {},
      { type: 'x' },
      { type: 'ready' },
      { type: 'ready', revision: -1 },
      { type: 'copy', text: 5 },
      { type: 'export', name: 'a', format: 'exe', content: '' },
    ];
    for (const guard of [isFromMaskPanel, isFromSuccessPanel, isFromRoutingPanel]) {
      expect(bad.filter((message) => guard(message))).toEqual([]);
      expect(guard({ type: 'ready', revision: 0 })).toBe(true);
    }
    expect(
      isFromMaskPanel({ type: 'setParameters', n: 1, lambda: NaN, alpha: 1, density: 1 }),
    ).toBe(false);
    expect(isFromMaskPanel({ type: 'toString' })).toBe(false);
  });
});

describe('the page', () => {
  it('allows one script by nonce and nothing inline, and escapes its title', () => {
    const html = pageHtml({
      title: '<b>"x"',
      script: 's.js',
      style: 's.css',
      light: { 'mergevla-task1': '"<' },
      cspSource: 'https://own',
      nonce: 'abc',
    });
    expect(html).toContain("default-src 'none'; script-src 'nonce-abc'; style-src https://own");
    expect(html).not.toMatch(/unsafe|<b>|connect-src|frame-src/);
  });
});
