import { interpolate, parseColour } from '../shared/colours';
import { s } from '../shared/dom';
import type { Theme } from '../shared/theme';

/** Over photographs one scale serves all themes. */
export const heat = [
  '#1B0C41',
  '#4A0C6B',
  '#781C6D',
  '#A52C60',
  '#CF4446',
  '#ED6925',
  '#FB9B06',
  '#F7D13D',
  '#FCFFA4',
];
const firstVisible = 0.13;
const strongest = 0.82;

/** Range of a colour scale; `sign` for the difference of two candidates around zero. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly sign: boolean;
}

/** Colours side by side over the whole width. */
export function strip(colours: readonly string[], height: number): SVGSVGElement {
  return s(
    'svg',
    {
      class: 'strip',
      height,
      viewBox: `0 0 ${String(colours.length)} 1`,
      preserveAspectRatio: 'none',
    },
    ...colours.map((colour, i) => s('rect', { x: i, y: 0, width: 1.02, height: 1, fill: colour })),
  );
}

/** Heat, or accord for a difference, that lets the picture through where the value is low. */
export function cellColour(
  value: number,
  { low, high, sign }: Scale,
  { theme, opacity }: { readonly theme: Theme; readonly opacity: number },
): string {
  const place = high > low ? (value - low) / (high - low) : 0.5;
  const [r, g, b] = parseColour(interpolate(sign ? theme.accord : heat, place));
  const strength = sign
    ? Math.abs(place - 0.5) * 2
    : Math.max(0, (place - firstVisible) / (1 - firstVisible));
  const alpha = Math.min(1, strongest * strength * opacity * 2);
  return `rgba(${String(r)}, ${String(g)}, ${String(b)}, ${alpha.toFixed(3)})`;
}
