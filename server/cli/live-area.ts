import { width } from './style';

/** Lines on a terminal that are drawn over themselves, such as a table that fills up. */
export interface LiveArea {
  /** False where nobody watches: then nothing is drawn. */
  readonly live: boolean;
  draw(lines: readonly string[]): void;
  clear(): void;
}

export interface LiveTarget {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const redrawMs = 100;

export const silentArea: LiveArea = {
  live: false,
  draw: () => undefined,
  clear: () => undefined,
};

/** Draws at most ten times a second; lines wider than the terminal would break the count and are cut. */
export function makeLiveArea(target: LiveTarget, now: () => number = Date.now): LiveArea {
  let height = 0;
  let drawn = 0;
  const erase = (): string => (height > 0 ? `\x1b[${height}A\r\x1b[J` : '');
  return {
    live: true,
    draw(lines) {
      if (height > 0 && now() - drawn < redrawMs) return;
      drawn = now();
      const columns = target.columns ?? 80;
      const shown = lines.slice(0, Math.max(1, (target.rows ?? 24) - 1));
      const text = shown.map((line) => `${cut(line, columns - 1)}\n`).join('');
      target.write(erase() + text);
      height = shown.length;
    },
    clear() {
      if (height > 0) target.write(erase());
      height = 0;
    },
  };
}

/** Colours are dropped from a line that is cut, so that none stays open. */
function cut(line: string, columns: number): string {
  if (width(line) <= columns) return line;
  // eslint-disable-next-line no-control-regex -- escape sequences are what is removed
  const plain = [...line.replace(/\x1b\[[0-9;]*m/g, '')];
  return `${plain.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
