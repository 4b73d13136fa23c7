import { s } from './dom';
import type { Theme } from './theme';

/** Marker, dash and colour belong together: none of them says which task it is without the others. */
export interface TaskMark {
  readonly colour: string;
  readonly point: PointShape;
  readonly dash: readonly number[];
}

export type PointShape = 'circle' | 'rect' | 'triangle' | 'rectRot' | 'crossRot' | 'triangleDown';

const shapes: readonly { readonly point: PointShape; readonly dash: readonly number[] }[] = [
  { point: 'circle', dash: [] },
  { point: 'rect', dash: [7, 3] },
  { point: 'triangle', dash: [2, 2.5] },
  { point: 'rectRot', dash: [8, 3, 2, 3] },
  { point: 'crossRot', dash: [1, 3] },
  { point: 'triangleDown', dash: [12, 4] },
];

/** Number of tasks that have a mark of their own. */
export const markedTasks = shapes.length;

/** The mark of a task by its place in the recipe; after the sixth they repeat in the muted colour. */
export function taskMark(theme: Theme, place: number): TaskMark {
  const shape = shapes[place % shapes.length] ?? { point: 'circle', dash: [] };
  return { ...shape, colour: place < shapes.length ? (theme.tasks[place] ?? '') : theme.muted };
}

/** Outline of a marker around the origin, for a radius r. */
export function markerPath(point: PointShape, r: number): string {
  const n = (value: number) => value.toFixed(2);
  switch (point) {
    case 'circle':
      return `M${n(-r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0z`;
    case 'rect':
      return `M${n(-r)} ${n(-r)}h${n(2 * r)}v${n(2 * r)}h${n(-2 * r)}z`;
    case 'triangle':
      return `M0 ${n(-r)}L${n(r)} ${n(r * 0.8)}H${n(-r)}z`;
    case 'triangleDown':
      return `M0 ${n(r)}L${n(r)} ${n(-r * 0.8)}H${n(-r)}z`;
    case 'rectRot':
      return `M0 ${n(-r * 1.2)}L${n(r * 1.2)} 0L0 ${n(r * 1.2)}L${n(-r * 1.2)} 0z`;
    case 'crossRot':
      return `M${n(-r)} ${n(-r)}L${n(r)} ${n(r)}M${n(r)} ${n(-r)}L${n(-r)} ${n(r)}`;
  }
}

/** A marker as text-sized picture, for names and table heads. */
export function taskMarker(theme: Theme, place: number): SVGSVGElement {
  const { colour, point } = taskMark(theme, place);
  return s(
    'svg',
    { class: 'marker', viewBox: '-6 -6 12 12', width: 10, height: 10, 'aria-hidden': 'true' },
    markerShape(point, colour, 5),
  );
}

export function markerShape(point: PointShape, colour: string, r: number): SVGPathElement {
  const line = point === 'crossRot';
  return s('path', {
    d: markerPath(point, r),
    fill: line ? 'none' : colour,
    stroke: line ? colour : 'none',
    'stroke-width': line ? 2 : 0,
  });
}

/** A piece of line with its marker, for legends. */
export function taskKey(theme: Theme, place: number): SVGSVGElement {
  const { colour, point, dash } = taskMark(theme, place);
  return s(
    'svg',
    { class: 'key', viewBox: '0 0 26 12', width: 26, height: 12, 'aria-hidden': 'true' },
    s('path', {
      d: 'M1 6H25',
      stroke: colour,
      'stroke-width': 2,
      'stroke-dasharray': dash.length > 0 ? dash.join(' ') : null,
      fill: 'none',
    }),
    s('g', { transform: 'translate(13 6)' }, markerShape(point, colour, 3.5)),
  );
}

/** The marker in chart.js's words: it has no triangle that points down, so one is turned. */
export function markerOf(point: PointShape): {
  readonly pointStyle: Exclude<PointShape, 'triangleDown'>;
  readonly rotation: number;
} {
  return point === 'triangleDown'
    ? { pointStyle: 'triangle', rotation: 180 }
    : { pointStyle: point, rotation: 0 };
}
