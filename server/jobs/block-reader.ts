import type { Kernels } from '../compute/kernels/wasm';
import { blockElements } from '../engine/plan-cost';
import type { MergePlan, TensorJob, TensorSource } from '../engine/plan-types';
import { column, makeColumns, type Columns } from '../engine/stages';
import { adapterDeltaRows, type AdapterFactors } from '../tensors/adapter-delta';
import { elementBytes, isFloat, widen } from '../tensors/dtypes';
import type { TensorReader } from '../tensors/reader';
import type { Dtype, TensorInfo } from '../tensors/types';

/** Positions of one block; `padded` is `n` rounded up to whole kernel steps, zeros behind `n`. */
export interface Block {
  /** Index in the tensor of the first position. */
  readonly position: number;
  readonly n: number;
  readonly padded: number;
  /** Offset of the block in its piece, and whether it is the piece's last. */
  readonly offset: number;
}

/** A piece: consecutive blocks whose bytes are read together. */
export interface Piece {
  readonly start: number;
  readonly n: number;
}

/** Reads base and experts of one tensor piece by piece and gives their columns block by block. */
export class BlockReader {
  readonly base: Float32Array;
  readonly columns: Columns;
  private readonly raw: readonly Uint8Array[];
  private readonly pieceBytes: number;
  private job: TensorJob | undefined;
  private weights = false;
  private factors: readonly (AdapterFactors | null)[] = [];
  private deltas: readonly (Float32Array | null)[] = [];

  constructor(
    readonly plan: MergePlan,
    readonly kernels: Kernels,
    readonly reader: TensorReader,
    options: { readonly pieceBytes: number },
  ) {
    const tasks = plan.tasks.length;
    this.pieceBytes = options.pieceBytes;
    this.base = kernels.floats(blockElements);
    const data = kernels.floats(blockElements * tasks);
    this.columns = makeColumns(data, blockElements, tasks);
    this.raw = Array.from({ length: tasks + 1 }, () => kernels.bytes(options.pieceBytes + 128));
  }

  /** `space`: columns as task vectors, or as whole weights. */
  open(job: TensorJob, space: 'task_vectors' | 'weights'): void {
    this.job = job;
    this.weights = space === 'weights' || job.base === null;
    this.factors = job.experts.map(({ delta }) => {
      if (!delta) return null;
      const read = (info: TensorInfo): Float32Array => {
        const values = new Float32Array(info.elements);
        this.reader.readFloat32(info, 0, values);
        return values;
      };
      return { a: read(delta.a), b: read(delta.b) };
    });
  }

  /** Stored dtype of the open tensor. */
  dtype(): Dtype {
    return this.current().dtype;
  }

  /** How many elements of the open tensor a piece holds. */
  pieceElements(): number {
    const widest = this.sources().reduce(
      (size, source) => Math.max(size, source.stored ? elementBytes(source.stored.dtype) : 0),
      2,
    );
    return Math.max(1, Math.floor(this.pieceBytes / widest / blockElements)) * blockElements;
  }

  /** Calls `visit` for every block of [start, end) and `finish` after each piece. */
  forEachBlock(
    range: { readonly start: number; readonly end: number },
    visit: (block: Block) => void,
    finish: (piece: Piece) => void = () => undefined,
  ): void {
    const most = this.pieceElements();
    for (let start = range.start; start < range.end; start += most) {
      const piece = { start, n: Math.min(most, range.end - start) };
      this.readPiece(piece);
      for (let offset = 0; offset < piece.n; offset += blockElements) {
        const n = Math.min(blockElements, piece.n - offset);
        const block = { position: start + offset, n, padded: Math.ceil(n / 32) * 32, offset };
        this.fill(block);
        visit(block);
      }
      finish(piece);
    }
  }

  private current(): TensorJob {
    if (!this.job) throw new Error('no tensor is open');
    return this.job;
  }

  private sources(): readonly TensorSource[] {
    const { base, experts } = this.current();
    return base ? [base, ...experts] : experts;
  }

  private readPiece(piece: Piece): void {
    const { base, experts } = this.current();
    if (base?.stored) this.readRaw(0, base.stored, piece);
    experts.forEach(({ stored }, m) => {
      if (stored && !sameData(stored, base?.stored)) this.readRaw(m + 1, stored, piece);
    });
    this.deltas = experts.map((source, m) => this.deltaOf(source, m, piece));
  }

  private readRaw(slot: number, info: TensorInfo, { start, n }: Piece): void {
    const buffer = this.raw[slot];
    if (!buffer) throw new Error('too many models');
    const bytes = n * elementBytes(info.dtype);
    this.reader.readBytes(info, start, buffer.subarray(0, bytes));
    buffer.fill(0, bytes, Math.min(buffer.length, bytes + 128));
  }

  /** The adapter's rows that a piece touches, cut to the piece. */
  private deltaOf(source: TensorSource, task: number, { start, n }: Piece): Float32Array | null {
    const factors = this.factors[task];
    if (!source.delta || !factors) return null;
    const { shape, elements } = this.current();
    const rowLength = elements / (shape[0] ?? 1);
    const from = Math.floor(start / rowLength);
    const to = Math.ceil((start + n) / rowLength);
    const rows = new Float32Array((to - from) * rowLength);
    adapterDeltaRows(source.delta, factors, { from, to }, rows);
    const first = start - from * rowLength;
    return rows.subarray(first, first + n);
  }

  private fill(block: Block): void {
    const { base, experts } = this.current();
    if (base?.stored) this.widen(0, base.stored, block, this.base);
    else this.base.fill(0);
    experts.forEach((source, m) => {
      const target = column(this.columns, m);
      const { stored } = source;
      if (stored && !sameData(stored, base?.stored)) this.fillStored(m, stored, block, target);
      else if (this.weights) target.set(this.base);
      else target.fill(0);
      const delta = this.deltas[m];
      if (delta) {
        for (let i = 0; i < block.n; i++)
          target[i] = (target[i] ?? 0) + (delta[block.offset + i] ?? 0);
      }
    });
  }

  private fillStored(task: number, info: TensorInfo, block: Block, target: Float32Array): void {
    const { padded, offset } = block;
    const raw = this.raw[task + 1];
    if (info.dtype === 'BF16' && !this.weights && raw) {
      const source = { bytes: raw, from: offset * 2 };
      this.kernels.bf16.taskVector(source, this.base, target, padded);
      return;
    }
    this.widen(task + 1, info, block, target);
    if (!this.weights) this.kernels.stages.subtract(target, this.base, target, padded);
  }

  private widen(slot: number, info: TensorInfo, block: Block, target: Float32Array): void {
    const { n, padded, offset } = block;
    const bytes = this.raw[slot];
    if (!bytes || !isFloat(info.dtype)) throw new Error(`${info.name} cannot be widened`);
    const from = offset * elementBytes(info.dtype);
    if (info.dtype === 'BF16') {
      this.kernels.bf16.widen({ bytes, from }, target, padded);
      return;
    }
    widen(info.dtype, bytes.subarray(from), target.subarray(0, n));
    target.fill(0, n, padded);
  }
}

/** True when two tensors are the same bytes of the same file. */
export function sameData(a: TensorInfo, b: TensorInfo | null | undefined): boolean {
  return b !== null && b !== undefined && a.file === b.file && a.offset === b.offset;
}
