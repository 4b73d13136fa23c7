import { s } from './dom';
import type { Theme } from './theme';

/** Coverage has an order and its own patterns: unused hatched, shared dotted, the others plain. */
const names = ['unused', 'selfish', 'shared', 'universal'] as const;

/** `fill` of a coverage level, 0 unused to 3 universal; its pattern stands in `patterns`. */
export function patternFill(level: number): string {
  return `url(#coverage-${names[level] ?? 'unused'})`;
}

/** Definitions for one picture. Ids repeat over pictures with equal content, so any of them serves. */
export function patterns(theme: Theme): SVGDefsElement {
  const [unused, selfish, shared, universal] = theme.coverage;
  const field = (colour: string | undefined, size: number) =>
    s('rect', { width: size, height: size, fill: colour ?? 'none' });
  const pattern = (name: (typeof names)[number], size: number, ...children: SVGElement[]) =>
    s(
      'pattern',
      { id: `coverage-${name}`, width: size, height: size, patternUnits: 'userSpaceOnUse' },
      ...children,
    );
  return s(
    'defs',
    {},
    pattern(
      'unused',
      5,
      field(unused, 5),
      s('path', { d: 'M-1 6L6 -1', stroke: theme.muted, 'stroke-width': 1, opacity: 0.7 }),
    ),
    pattern('selfish', 4, field(selfish, 4)),
    pattern(
      'shared',
      4,
      field(shared, 4),
      s('circle', { cx: 2, cy: 2, r: 0.8, fill: selfish ?? 'none' }),
    ),
    pattern('universal', 4, field(universal, 4)),
  );
}
