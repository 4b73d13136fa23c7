import type { Matrix } from '../../compute/linalg/matrix';
import type { Operand, Panel, Source } from './operand';
import { longSide, panels, panelTimes, writePanel } from './operand';

/**
 * A_sourceᵀ · right, `[L, k]`, for `right` of shape `[r, k]`; or another factor's columns, times `right`
 * of shape `[p, k]` where there is one.
 */
export type LongTerm =
  | { readonly source: Source; readonly right: Matrix }
  | { readonly factor: LongFactor; readonly right?: Matrix };

/** The sum of terms of equal shape; no terms, no columns. */
export type LongBlock = readonly LongTerm[];

/** Elements of a factor that is kept between passes; a larger one is computed again in each. */
export const keptElements = 8 * 1024 * 1024;

/**
 * A matrix `[L, p]` on the long side, written as products of the task vectors with short matrices and
 * worked out panel by panel, so that nothing as long as L needs to be stored.
 */
export class LongFactor {
  readonly columns: number;
  /** Rows by the panel's beginning: of all panels, or of the last one where all would be too many. */
  private readonly known = new Map<number, Matrix>();
  private readonly keepsAll: boolean;

  constructor(
    private readonly operand: Operand,
    private readonly blocks: readonly LongBlock[],
  ) {
    this.columns = blocks.reduce((sum, block) => sum + widthOf(block), 0);
    this.keepsAll = longSide(operand) * this.columns <= keptElements;
  }

  /** The factor's rows for each panel, `[width, p]`. */
  *panels(): Generator<{ readonly panel: Panel; readonly rows: Matrix }> {
    for (const panel of panels(this.operand)) yield { panel, rows: this.rowsAt(panel) };
  }

  /** PᵀP, `[p, p]`. */
  gram(): Matrix {
    const p = this.columns;
    const total = { rows: p, columns: p, data: new Float64Array(p * p) };
    for (const { rows } of this.panels())
      this.operand.algebra.gram(rows, { transpose: true, addTo: total });
    return total;
  }

  /** A · P of the logical matrix, `[r, p]`. */
  timesLeft(source: Source): Matrix {
    const { algebra, rows, columns } = this.operand;
    const r = Math.min(rows, columns);
    const total = { rows: r, columns: this.columns, data: new Float64Array(r * this.columns) };
    for (const { panel, rows: factor } of this.panels())
      algebra.multiply(panel.of(source), factor, { transposeA: rows > columns, addTo: total });
    return total;
  }

  /** left · Pᵀ as a float32 matrix in its real orientation, for `left` of shape `[r, p]`. */
  compose(left: Matrix): Float32Array {
    const { algebra, rows, columns } = this.operand;
    const merged = new Float32Array(rows * columns);
    for (const { panel, rows: factor } of this.panels()) {
      const values = algebra.multiply(left, factor, { transposeB: true });
      writePanel(this.operand, values, panel.from, merged);
    }
    return merged;
  }

  /** All of it, `[L, p]`. */
  whole(): Matrix {
    const data = new Float64Array(longSide(this.operand) * this.columns);
    for (const { panel, rows } of this.panels()) data.set(rows.data, panel.from * this.columns);
    return { rows: longSide(this.operand), columns: this.columns, data };
  }

  private rowsAt(panel: Panel): Matrix {
    const known = this.known.get(panel.from);
    if (known) return known;
    if (!this.keepsAll) this.known.clear();
    const rows = this.compute(panel);
    this.known.set(panel.from, rows);
    return rows;
  }

  private compute(panel: Panel): Matrix {
    const { columns } = this;
    const out = { rows: panel.width, columns, data: new Float64Array(panel.width * columns) };
    let at = 0;
    for (const block of this.blocks) {
      for (const term of block) addColumns(out, this.termAt(term, panel), at);
      at += widthOf(block);
    }
    return out;
  }

  private termAt(term: LongTerm, panel: Panel): Matrix {
    if ('source' in term) return panelTimes(this.operand, panel.of(term.source), term.right);
    const rows = term.factor.rowsAt(panel);
    return term.right ? this.operand.algebra.multiply(rows, term.right) : rows;
  }
}

function widthOf(block: LongBlock): number {
  if (block.length === 0) return 0;
  const [term] = block;
  if ('source' in term) return term.right.columns;
  return term.right?.columns ?? term.factor.columns;
}

function addColumns(into: Matrix, part: Matrix, at: number): void {
  for (let i = 0; i < part.rows; i++)
    for (let j = 0; j < part.columns; j++)
      into.data[i * into.columns + at + j] += part.data[i * part.columns + j];
}
