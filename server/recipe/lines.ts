import type { TextRange } from '../protocol/problem';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Offsets at which the lines of a text begin; CR LF, LF and a lone CR end a line. */
export class LineIndex {
  readonly #starts: readonly number[];

  constructor(private readonly text: string) {
    const starts = [0];
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
    }
    this.#starts = starts;
  }

  get count(): number {
    return this.#starts.length;
  }

  /** Offset of the first character of a line; lines past the end give the end of the text. */
  startOf(line: number): number {
    return this.#starts[line] ?? this.text.length;
  }

  /** Offset behind the last character of a line, its line break left out. */
  endOf(line: number): number {
    let end = this.startOf(line + 1);
    while (end > this.startOf(line) && /[\r\n]/.test(this.text.charAt(end - 1))) end--;
    return end;
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.startOf(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, column: Math.max(0, offset - this.startOf(low)) };
  }

  offset({ line, column }: Position): number {
    return Math.min(this.startOf(line) + column, this.startOf(line + 1), this.text.length);
  }

  range(start: number, end: number): TextRange {
    return { start: this.position(start), end: this.position(end) };
  }
}
