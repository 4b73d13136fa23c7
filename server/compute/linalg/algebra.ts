import { faerBytes } from './faer.generated';
import type { Algebra, Matrix, MultiplyOptions } from './matrix';
import { matrix, transpose } from './matrix';

/** What `faer/src/lib.rs` exports. Pointers are byte offsets; sizes are in elements. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  release(pointer: number, bytes: number): void;
  symmetric_eigen(n: number, a: number, values: number, vectors: number): number;
  thin_svd(m: number, n: number, a: number, u: number, s: number, v: number): number;
  multiply(...sizesStepsAndPointers: number[]): void;
  gram(
    m: number,
    k: number,
    a: number,
    aRow: number,
    aColumn: number,
    c: number,
    add: number,
  ): void;
}

/** Tells that a decomposition did not converge, which only inputs that are not finite can cause. */
export class NotConverged extends Error {
  override readonly name = 'NotConverged';
}

/**
 * Dense float64 linear algebra by faer, compiled to WebAssembly: one instance for each thread.
 * Results depend neither on the machine nor on the number of threads.
 */
export async function createAlgebra(): Promise<Algebra> {
  const module = await WebAssembly.compile(Buffer.from(faerBytes, 'base64'));
  const instance = await WebAssembly.instantiate(module, {});
  return new FaerAlgebra(instance.exports as unknown as Exports);
}

class FaerAlgebra implements Algebra {
  constructor(private readonly wasm: Exports) {}

  multiply(a: Matrix, b: Matrix, options: MultiplyOptions = {}): Matrix {
    const [m, k] = options.transposeA ? [a.columns, a.rows] : [a.rows, a.columns];
    const [inner, n] = options.transposeB ? [b.columns, b.rows] : [b.rows, b.columns];
    if (k !== inner) throw new RangeError(`cannot multiply [${m}, ${k}] by [${inner}, ${n}]`);
    const into = options.addTo ?? matrix(m, n);
    return this.withBuffers([a.data, b.data, into.data], ([pa, pb, pc]) => {
      const stepsA = steps(a, options.transposeA);
      const stepsB = steps(b, options.transposeB);
      this.wasm.multiply(m, n, k, pa, ...stepsA, pb, ...stepsB, pc, options.addTo ? 1 : 0);
      this.read(pc, into.data);
      return into;
    });
  }

  gram(a: Matrix, options: { readonly transpose?: boolean; readonly addTo?: Matrix } = {}): Matrix {
    const [m, k] = options.transpose ? [a.columns, a.rows] : [a.rows, a.columns];
    const into = options.addTo ?? matrix(m, m);
    return this.withBuffers([a.data, into.data], ([pa, pc]) => {
      this.wasm.gram(m, k, pa, ...steps(a, options.transpose), pc, 1);
      this.read(pc, into.data);
      mirrorLowerTriangle(into);
      return into;
    });
  }

  symmetricEigen(a: Matrix): { readonly values: Float64Array; readonly vectors: Matrix } {
    const n = a.rows;
    const values = new Float64Array(n);
    const vectors = matrix(n, n);
    return this.withBuffers([a.data, values, vectors.data], ([pa, pValues, pVectors]) => {
      if (this.wasm.symmetric_eigen(n, pa, pValues, pVectors) !== 0)
        throw new NotConverged('eigen');
      this.read(pValues, values);
      this.read(pVectors, vectors.data);
      return { values: values.reverse(), vectors: reverseColumns(vectors) };
    });
  }

  thinSvd(a: Matrix): { readonly u: Matrix; readonly s: Float64Array; readonly v: Matrix } {
    // A wide matrix is decomposed as its transpose: one shape for the library to be fast at.
    if (a.rows < a.columns) {
      const { u, s, v } = this.thinSvd(transpose(a));
      return { u: v, s, v: u };
    }
    const [m, n] = [a.rows, a.columns];
    const u = matrix(m, n);
    const s = new Float64Array(n);
    const v = matrix(n, n);
    return this.withBuffers([a.data, u.data, s, v.data], ([pa, pu, ps, pv]) => {
      if (this.wasm.thin_svd(m, n, pa, pu, ps, pv) !== 0) throw new NotConverged('svd');
      this.read(pu, u.data);
      this.read(ps, s);
      this.read(pv, v.data);
      return { u, s, v };
    });
  }

  /** Copies arrays into the instance's memory for the time of one call. */
  private withBuffers<Result>(
    arrays: readonly Float64Array[],
    use: (pointers: readonly [number, number, number, number]) => Result,
  ): Result {
    const pointers = arrays.map((array) => this.wasm.reserve(array.byteLength));
    try {
      pointers.forEach((pointer, i) => {
        const array = arrays[i];
        if (array) new Float64Array(this.wasm.memory.buffer, pointer, array.length).set(array);
      });
      const [first = 0, second = 0, third = 0, fourth = 0] = pointers;
      return use([first, second, third, fourth]);
    } finally {
      pointers.forEach((pointer, i) => this.wasm.release(pointer, arrays[i]?.byteLength ?? 0));
    }
  }

  private read(pointer: number, into: Float64Array): void {
    into.set(new Float64Array(this.wasm.memory.buffer, pointer, into.length));
  }
}

/** Steps in elements between rows and between columns of a row-major matrix, or of its transpose. */
function steps(a: Matrix, transposed: boolean | undefined): [number, number] {
  return transposed ? [1, a.columns] : [a.columns, 1];
}

function mirrorLowerTriangle({ rows, data }: Matrix): void {
  for (let i = 0; i < rows; i++)
    for (let j = i + 1; j < rows; j++) data[i * rows + j] = data[j * rows + i] ?? 0;
}

function reverseColumns(a: Matrix): Matrix {
  for (let i = 0; i < a.rows; i++) a.data.subarray(i * a.columns, (i + 1) * a.columns).reverse();
  return a;
}
