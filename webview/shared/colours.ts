export type Rgb = readonly [number, number, number];

/** `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb()` and `rgba()`, which is all that themes give. */
export function parseColour(text: string): Rgb {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(text.trim())?.[1];
  if (hex) {
    const digits = hex.length < 6 ? [...hex].map((c) => c + c).join('') : hex;
    const value = Number.parseInt(digits.slice(0, 6), 16);
    return [value >> 16, (value >> 8) & 255, value & 255];
  }
  const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [];
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
}

/** Linear in sRGB between evenly spaced stops; t outside [0, 1] is clipped. */
export function interpolate(stops: readonly string[], t: number): string {
  const place = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  return mix(stops[i] ?? '#000', stops[i + 1] ?? '#000', place - i);
}

export function mix(from: string, to: string, share: number): string {
  const [a, b] = [parseColour(from), parseColour(to)];
  const [red, green, blue] = a.map((value, i) => Math.round(value + ((b[i] ?? 0) - value) * share));
  return `rgb(${String(red)}, ${String(green)}, ${String(blue)})`;
}

export function withAlpha(colour: string, alpha: number): string {
  const [red, green, blue] = parseColour(colour);
  return `rgba(${String(red)}, ${String(green)}, ${String(blue)}, ${String(alpha)})`;
}

/** WCAG relative luminance. */
function luminance(colour: string): number {
  const [red, green, blue] = parseColour(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

/** Black or white, whichever has the higher contrast on this colour. */
export function inkOn(colour: string): '#000000' | '#ffffff' {
  const light = luminance(colour);
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? '#000000' : '#ffffff';
}
