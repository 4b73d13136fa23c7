import type { PairView } from '../../server/protocol/panels/mask-details';
import type { MaskView } from '../../server/protocol/panels/mask-ratios';
import { interpolate } from '../shared/colours';
import { s } from '../shared/dom';
import { percent, shorten } from '../shared/format';
import { patternFill, patterns } from '../shared/patterns';
import type { Theme } from '../shared/theme';
import { activeAt, conflictAt, coverageAt, coverageClasses, levelsOf } from './model';
import type { TrackColumn, TrackLayout } from './track-layout';

export interface TrackInput {
  readonly layout: TrackLayout;
  readonly view: MaskView;
  readonly blocks: number;
  readonly tasks: readonly string[];
  readonly missing: ReadonlySet<string>;
  /** Tasks that have lines where not all can have one. */
  readonly pinned: readonly number[];
  /** Two tasks in place of the mean over all pairs. */
  readonly pair: PairView | undefined;
  readonly theme: Theme;
}

export const heatRow = 20;

/** Mean over the blocks of a column, leaving out what is missing. */
export function meanOver(column: TrackColumn, pick: (block: number) => number): number {
  let sum = 0;
  let count = 0;
  for (let block = column.from; block <= column.to; block += 1) {
    const value = pick(block);
    if (!Number.isFinite(value)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** A round share above every active ratio: the top of the colour scale. */
export function depthTop(view: MaskView, blocks: number): number {
  let most = 0;
  for (let i = 0; i < view.active.length; i += 3) most = Math.max(most, view.active[i] || 0);
  if (blocks === 0) return 1;
  return most > 0.4
    ? Math.min(1, Math.ceil(most * 5) / 5)
    : Math.max(0.1, Math.ceil(most * 10) / 10);
}

/** Rows `from` to `to` of the heat map; colour in ordinary themes, level bars in high contrast. */
export function heatTrack(input: TrackInput, from: number, to: number): SVGSVGElement {
  const { layout, view, blocks, tasks, theme } = input;
  const top = depthTop(view, blocks);
  const rows = tasks.slice(from, to).map((task, i) => {
    const place = from + i;
    const y = i * heatRow;
    const cells = input.missing.has(task)
      ? [
          s('rect', {
            x: layout.gutter,
            y: y + 1,
            width: layout.width,
            height: heatRow - 2,
            fill: 'none',
            stroke: theme.muted,
            'stroke-dasharray': '2 2',
          }),
        ]
      : layout.columns.map((column) =>
          heatCell(column, meanOver(column, (b) => activeAt(view, blocks, [place, b, 0])) / top, {
            y,
            gutter: layout.gutter,
            theme,
          }),
        );
    return s(
      'g',
      { class: 'heat-row' },
      s('title', {}, task),
      s(
        'text',
        {
          x: layout.gutter - 6,
          y: y + 14,
          'text-anchor': 'end',
          fill: theme.foreground,
          'font-size': 11,
          'font-family': theme.font,
        },
        shorten(task, 10),
      ),
      ...cells,
    );
  });
  return picture(layout, (to - from) * heatRow, rows);
}

interface CellPlace {
  readonly y: number;
  readonly gutter: number;
  readonly theme: Theme;
}

function heatCell(column: TrackColumn, level: number, { y, gutter, theme }: CellPlace): SVGElement {
  const x = gutter + column.x;
  const width = Math.max(1, column.width - 1);
  if (!Number.isFinite(level))
    return s('rect', {
      x,
      y: y + 1,
      width,
      height: heatRow - 2,
      fill: 'none',
      stroke: theme.muted,
      'stroke-dasharray': '2 2',
    });
  if (!theme.contrast)
    return s('rect', { x, y, width, height: heatRow - 1, fill: interpolate(theme.depth, level) });
  const height = Math.max(1, level * (heatRow - 4));
  return s(
    'g',
    {},
    s('rect', {
      x,
      y: y + 1,
      width,
      height: heatRow - 3,
      fill: 'none',
      stroke: theme.muted,
      'stroke-opacity': 0.35,
    }),
    s('rect', {
      x,
      y: y + heatRow - 2 - height,
      width,
      height,
      fill:
        theme.kind === 'contrast-light'
          ? theme.foreground
          : interpolate(theme.depth, 0.45 + level / 2),
    }),
  );
}

export const coverageHeight = 84;

/** Coverage stacked to 100 %, unused at the foot. */
export function coverageTrack({ layout, view, blocks, theme }: TrackInput): SVGSVGElement {
  const levelCount = levelsOf(view, blocks);
  const label = (y: number, text: string) =>
    s(
      'text',
      {
        x: layout.gutter - 6,
        y,
        'text-anchor': 'end',
        fill: theme.muted,
        'font-size': 11,
        'font-family': theme.font,
      },
      text,
    );
  const bars = layout.columns.flatMap((column) => {
    const levels = Array.from({ length: levelCount }, (_, level) =>
      meanOver(column, (b) => coverageAt(view, blocks, level, b)),
    );
    let y = coverageHeight;
    return coverageClasses(levels).flatMap((value, level) => {
      const height = value * coverageHeight;
      if (!(height > 0)) return [];
      y -= height;
      return [
        s('rect', {
          x: layout.gutter + column.x,
          y,
          width: Math.max(1, column.width - 1),
          height,
          fill: patternFill(level),
          stroke: theme.contrast ? theme.muted : 'none',
          'stroke-width': 0.75,
        }),
      ];
    });
  });
  return picture(layout, coverageHeight + 2, [
    patterns(theme),
    label(9, '100 %'),
    label(coverageHeight, '0'),
    ...bars,
  ]);
}

const accordHeight = 18;
const conflictRanges = [0.02, 0.04, 0.08, 0.16, 0.5];
const cosineRanges = [0.05, 0.1, 0.25, 0.5, 1];

/** Half-width of the conflict scale around 50 %, snapped to the data. */
export function conflictRange(input: TrackInput): number {
  return snapped(conflictRanges, input, (block) => conflictOf(input, block) - 0.5);
}

export function cosineRange(input: TrackInput): number {
  return snapped(cosineRanges, input, (block) => cosineOf(input, block));
}

function snapped(
  ranges: readonly number[],
  { blocks }: TrackInput,
  pick: (block: number) => number,
): number {
  let most = 0;
  for (let b = 0; b < blocks; b += 1) most = Math.max(most, Math.abs(pick(b)) || 0);
  return ranges.find((range) => range >= most) ?? ranges.at(-1) ?? 1;
}

function conflictOf({ pair, view }: TrackInput, block: number): number {
  return pair ? (pair.conflict[3 * block] ?? Number.NaN) : conflictAt(view, block, 0);
}

function cosineOf({ pair }: TrackInput, block: number): number {
  return pair?.cosine[block] ?? Number.NaN;
}

/** Sign conflict, of the chosen pair or the mean over all. */
export function conflictTrack(input: TrackInput): SVGSVGElement {
  const range = conflictRange(input);
  return accordTrack(input, (block) => (0.5 - conflictOf(input, block)) / range);
}

/** Cosine of the chosen pair. */
export function cosineTrack(input: TrackInput): SVGSVGElement {
  const range = cosineRange(input);
  return accordTrack(input, (block) => cosineOf(input, block) / range);
}

/** −1 opposed to 1 agreeing: colour in ordinary themes, bars up (opposed) and down in high contrast. */
function accordTrack(
  { layout, theme }: TrackInput,
  place: (block: number) => number,
): SVGSVGElement {
  const cells = layout.columns.map((column) => accordCell(theme, layout, column, place));
  const middle = theme.contrast
    ? [
        s('path', {
          d: `M${String(layout.gutter)} ${String(accordHeight / 2)}h${String(layout.width)}`,
          stroke: theme.muted,
          'stroke-width': 0.5,
        }),
      ]
    : [];
  return picture(layout, accordHeight, [...middle, ...cells]);
}

function accordCell(
  theme: Theme,
  layout: TrackLayout,
  column: TrackColumn,
  place: (block: number) => number,
): SVGElement {
  const mean = meanOver(column, place);
  const x = layout.gutter + column.x;
  const width = Math.max(1, column.width - 1);
  if (!Number.isFinite(mean))
    return s('rect', {
      x,
      y: 0.5,
      width,
      height: accordHeight - 1,
      fill: 'none',
      stroke: theme.muted,
      'stroke-dasharray': '2 2',
    });
  const colour = interpolate(theme.accord, (mean + 1) / 2);
  if (!theme.contrast) return s('rect', { x, y: 0, width, height: accordHeight, fill: colour });
  const middle = accordHeight / 2;
  const height = Math.max(1, Math.min(1, Math.abs(mean)) * middle);
  const end = theme.accord[mean < 0 ? 0 : 6] ?? colour;
  return s('rect', { x, y: mean < 0 ? middle - height : middle, width, height, fill: end });
}

/** A scale with its ends, beside the track's name. */
export function scaleKey(stops: readonly string[], low: string, high: string): HTMLElement {
  const parts = 24;
  const box = document.createElement('span');
  box.className = 'scale-key secondary small';
  box.append(
    `${low} `,
    s(
      'svg',
      {
        width: 72,
        height: 6,
        viewBox: `0 0 ${String(parts)} 1`,
        preserveAspectRatio: 'none',
        'aria-hidden': 'true',
      },
      ...Array.from({ length: parts }, (_, i) =>
        s('rect', {
          x: i,
          y: 0,
          width: 1.05,
          height: 1,
          fill: interpolate(stops, i / (parts - 1)),
        }),
      ),
    ),
    ` ${high}`,
  );
  return box;
}

export function percentRange(range: number): readonly [string, string] {
  return [`agree ${percent(0.5 - range, 0)}`, `${percent(0.5 + range, 0)} % oppose`];
}

function picture(
  layout: TrackLayout,
  height: number,
  children: readonly SVGElement[],
): SVGSVGElement {
  return s(
    'svg',
    { class: 'track', width: layout.gutter + layout.width, height, 'aria-hidden': 'true' },
    ...children,
  );
}
