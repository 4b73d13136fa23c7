import type { RateCell } from '../../server/protocol/panels/success-rates';
import { withAlpha } from '../shared/colours';
import { s } from '../shared/dom';
import type { Theme } from '../shared/theme';
import { rateOf } from './model';

export interface BarLook {
  readonly theme: Theme;
  readonly hatched: boolean;
  readonly paper: boolean;
}

const barWidth = 112;
/** Place of a share on the bar. */
export const barPlace = (share: number): number => 2 + share * (barWidth - 4);

/** 0 to 100 % with ticks at 0, 50, 100: interval as a block, rate as a 3 px line; a paper's is hollow. */
export function rateBar(cell: RateCell, look: BarLook): SVGSVGElement {
  const { theme } = look;
  const ticks = [0, 0.5, 1].map((at) =>
    s('path', {
      d: `M${String(barPlace(at))} 4v10`,
      stroke: theme.muted,
      'stroke-opacity': 0.5,
    }),
  );
  const rate = rateOf(cell);
  return s(
    'svg',
    {
      class: 'rate-bar',
      width: barWidth,
      height: 18,
      viewBox: `0 0 ${String(barWidth)} 18`,
      'aria-hidden': 'true',
    },
    look.hatched ? runningPattern(theme) : null,
    s('path', { d: `M2 9h${String(barWidth - 4)}`, stroke: theme.muted, 'stroke-opacity': 0.35 }),
    ...ticks,
    cell.trials > 0 ? intervalBlock(cell, look) : null,
    Number.isFinite(rate) ? rateMark(rate, look) : null,
  );
}

function intervalBlock({ low, high }: RateCell, { theme, hatched, paper }: BarLook): SVGElement {
  const place = {
    x: barPlace(low),
    y: 5,
    width: Math.max(1, barPlace(high) - barPlace(low)),
    height: 8,
  };
  if (paper)
    return s('rect', {
      ...place,
      fill: 'none',
      stroke: theme.foreground,
      'stroke-dasharray': '3 2',
    });
  const stroke = hatched || theme.contrast ? theme.focus : 'none';
  const fill = hatched ? 'url(#running)' : withAlpha(theme.focus, theme.contrast ? 0.9 : 0.45);
  return s('rect', { ...place, fill, stroke });
}

function rateMark(rate: number, { theme, paper }: BarLook): SVGElement {
  if (!paper)
    return s('rect', {
      x: barPlace(rate) - 1.5,
      y: 2,
      width: 3,
      height: 14,
      fill: theme.foreground,
    });
  return hollowMark(rate, theme);
}

/** The paper's mark. */
export function hollowMark(rate: number, theme: Theme): SVGElement {
  return s('circle', {
    cx: barPlace(rate),
    cy: 9,
    r: 3.5,
    fill: theme.background,
    stroke: theme.foreground,
    'stroke-width': 1.5,
  });
}

function runningPattern(theme: Theme): SVGDefsElement {
  return s(
    'defs',
    {},
    s(
      'pattern',
      { id: 'running', width: 5, height: 5, patternUnits: 'userSpaceOnUse' },
      s('path', { d: 'M-1 6L6 -1', stroke: theme.focus, 'stroke-width': 1.5 }),
    ),
  );
}
