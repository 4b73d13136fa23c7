import { betaDensity } from '../../server/evaluate/rates/beta';
import {
  clopperPearson,
  posterior,
  wilson,
  type Interval,
} from '../../server/evaluate/rates/intervals';
import type { RateCell, RateRow } from '../../server/protocol/panels/success-rates';
import { withAlpha } from '../shared/colours';
import { h, s } from '../shared/dom';
import { nbsp, percent } from '../shared/format';
import type { Theme } from '../shared/theme';
import { rateText } from './model';

/** Everything about one cell: all three intervals, the posterior drawn, and what was counted apart. */
export function cellTip(row: RateRow, task: string, cell: RateCell, theme: Theme): Node[] {
  const counts = cell.trials > 0 ? `${String(cell.successes)} of ${String(cell.trials)}, ` : '';
  return [
    h('div', {}, h('strong', {}, `${row.label} ${row.detail}`), ` · ${task}`),
    h('div', {}, `${counts}${rateText(cell)}${row.state === 'paper' ? ', as printed' : ''}`),
    ...(cell.trials > 0 ? [intervals(cell), density(cell, theme)] : []),
    ...(cell.errors > 0 ? [h('div', {}, `${String(cell.errors)} crashed, counted apart`)] : []),
    ...(row.note === undefined ? [] : [h('div', {}, `Partial: ${row.note}`)]),
  ];
}

function intervals(cell: RateCell): HTMLElement {
  const line = (name: string, { low, high }: Interval) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, name),
      h('td', {}, `${percent(low, 1)} to ${percent(high, 1)}${nbsp}%`),
    );
  return h(
    'table',
    { class: 'tip-intervals' },
    line('Wilson', wilson(cell)),
    line('Clopper–Pearson', clopperPearson(cell)),
    line('posterior, uniform prior', posterior(cell, 1)),
  );
}

const [width, height] = [240, 44];

/** Beta posterior under a uniform prior: a half violin from 0 to 100 % with its central 95 %. */
function density(cell: RateCell, theme: Theme): SVGSVGElement {
  const [a, b] = [cell.successes + 1, cell.trials - cell.successes + 1];
  const at = Array.from({ length: 201 }, (_, i) => i / 200);
  const values = at.map((x) => betaDensity(Math.min(1 - 1e-6, Math.max(1e-6, x)), a, b));
  const most = Math.max(...values);
  const point = (x: number, i: number) =>
    `${(x * width).toFixed(1)} ${(height - 6 - ((values[i] ?? 0) / most) * (height - 10)).toFixed(1)}`;
  const { low, high } = posterior(cell, 1);
  const inside = at.map((x, i) => [x, i] as const).filter(([x]) => x >= low && x <= high);
  const area = (points: readonly (readonly [number, number])[]) => {
    const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
    const base = String(height - 6);
    return `M${String(first * width)} ${base}L${points.map(([x, i]) => point(x, i)).join('L')}L${String(last * width)} ${base}Z`;
  };
  return s(
    'svg',
    { class: 'tip-density', width, height, viewBox: `0 0 ${String(width)} ${String(height)}` },
    s('path', { d: area(at.map((x, i) => [x, i])), fill: withAlpha(theme.focus, 0.25) }),
    s('path', { d: area(inside), fill: withAlpha(theme.focus, 0.7) }),
    s('path', { d: `M0 ${String(height - 6)}h${String(width)}`, stroke: theme.muted }),
    ...[0, 0.5, 1].map((x) =>
      s('path', {
        d: `M${String(Math.min(width - 0.5, x * width + 0.5))} ${String(height - 6)}v5`,
        stroke: theme.muted,
      }),
    ),
  );
}
