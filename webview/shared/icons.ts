import { s } from './dom';

/** Outlines on a 16 × 16 field, drawn with the text colour. */
const outlines = {
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M5 3v10M11 3v10',
  back: 'M12 3v10L5.5 8zM3.5 3v10',
  forward: 'M4 3v10l6.5-5zM12.5 3v10',
  left: 'M10 3 5 8l5 5',
  right: 'M6 3l5 5-5 5',
  up: 'M3 10l5-5 5 5',
  down: 'M3 6l5 5 5-5',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.5l3.5 3.5L13.5 4',
  cross: 'M4 4l8 8M12 4l-8 8',
  warning: 'M8 2l6.5 12h-13zM8 6.5v3.5M8 12v.6',
  error: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M5.5 5.5l5 5M10.5 5.5l-5 5',
  stale: 'M8 4.5V8l2.5 2M2.5 8a5.5 5.5 0 1 0 2-4.3M2.5 2.5v2.4h2.4',
  info: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M8 7v4.5M8 4.6v.6',
  table: 'M2 3h12v10H2zM2 6.5h12M2 10h12M6 3v10M10 3v10',
  export: 'M2.5 3v10M6 8h8M11 5l3 3-3 3',
  compare: 'M4.5 11.5v-7a1.5 1.5 0 1 1 .01 0M11.5 4.5v7a1.5 1.5 0 1 1-.01 0M8 3l-2 0M8 13l2 0',
  chart: 'M2.5 2v11.5H14M4.5 10.5l3-4 2.5 2 3.5-5',
  goto: 'M2 13V6l3-3h5v10zM12 4.5h2v2',
} as const;

export type IconName = keyof typeof outlines;

export function icon(name: IconName): SVGSVGElement {
  return s(
    'svg',
    {
      class: `icon icon-${name}`,
      viewBox: '0 0 16 16',
      width: 16,
      height: 16,
      'aria-hidden': 'true',
    },
    s('path', {
      d: outlines[name],
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': 1.2,
      'stroke-linejoin': 'round',
    }),
  );
}
