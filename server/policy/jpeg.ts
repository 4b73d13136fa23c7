import type { Picture } from './types';

/**
 * What JPEG at quality 95 with halved chroma makes of a picture. The reference encodes and decodes
 * every frame that it resizes, because its training data were stored so. Entropy coding loses
 * nothing, so only the lossy steps are repeated, as the common library does them: colour, 2×2 chroma
 * means, DCT, quantisation, the reference's choice of the fast integer inverse (which darkens by
 * almost half a level), and the triangle filter that enlarges chroma again.
 */
export function jpegRoundTrip(picture: Picture): Picture {
  const { width, height } = picture;
  const [luma, blue, red] = toPlanes(picture);
  const codec = new BlockCodec();
  const y = codec.roundTrip(luma, lumaTable);
  const cb = enlarge(codec.roundTrip(halve(blue), chromaTable), luma);
  const cr = enlarge(codec.roundTrip(halve(red), chromaTable), luma);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const base = y.data[i] ?? 0;
    const b = (cb.data[i] ?? 0) - 128;
    const r = (cr.data[i] ?? 0) - 128;
    data[i * 3] = toByte(base + Math.round(1.402 * r));
    data[i * 3 + 1] = toByte(base + Math.round(-0.344136286 * b - 0.714136286 * r));
    data[i * 3 + 2] = toByte(base + Math.round(1.772 * b));
  }
  return { width, height, data };
}

/** One colour component, row-major. */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

function toPlanes({ width, height, data }: Picture): [Plane, Plane, Plane] {
  const planes = [0, 1, 2].map(() => new Uint8Array(width * height));
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = [data[i * 3] ?? 0, data[i * 3 + 1] ?? 0, data[i * 3 + 2] ?? 0];
    const values = [
      0.299 * r + 0.587 * g + 0.114 * b,
      128 - 0.168735892 * r - 0.331264108 * g + 0.5 * b,
      128 + 0.5 * r - 0.418687589 * g - 0.081312411 * b,
    ];
    values.forEach((value, c) => {
      const plane = planes[c];
      if (plane) plane[i] = toByte(Math.round(value));
    });
  }
  const plane = (index: number): Plane => ({
    width,
    height,
    data: planes[index] ?? new Uint8Array(),
  });
  return [plane(0), plane(1), plane(2)];
}

/** Means of 2×2 samples, edges repeated; the rounding alternates between columns. */
function halve(plane: Plane): Plane {
  const width = Math.ceil(plane.width / 2);
  const height = Math.ceil(plane.height / 2);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const sum =
        sample(plane, 2 * x, 2 * y) +
        sample(plane, 2 * x + 1, 2 * y) +
        sample(plane, 2 * x, 2 * y + 1) +
        sample(plane, 2 * x + 1, 2 * y + 1);
      data[y * width + x] = (sum + 1 + (x & 1)) >> 2;
    }
  return { width, height, data };
}

/** Triangle filter: each new sample is ¾ of the near and ¼ of the far one, in both directions. */
function enlarge(plane: Plane, like: Plane): Plane {
  const data = new Uint8Array(like.width * like.height);
  for (let y = 0; y < like.height; y++) {
    const near = y >> 1;
    const far = near + (y & 1 ? 1 : -1);
    const column = (x: number): number => 3 * sample(plane, x, near) + sample(plane, x, far);
    for (let x = 0; x < like.width; x++) {
      const own = column(x >> 1);
      const other = column((x >> 1) + (x & 1 ? 1 : -1));
      data[y * like.width + x] = (3 * own + other + (x & 1 ? 7 : 8)) >> 4;
    }
  }
  return { width: like.width, height: like.height, data };
}

function sample({ width, height, data }: Plane, x: number, y: number): number {
  const column = Math.min(width - 1, Math.max(0, x));
  const row = Math.min(height - 1, Math.max(0, y));
  return data[row * width + column] ?? 0;
}

function toByte(value: number): number {
  return Math.min(255, Math.max(0, value));
}

/** The standard's example tables (ISO/IEC 10918-1, annex K), which quality 50 uses unchanged. */
const lumaBase = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
  92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const chromaBase = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
  47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];
/** Quality 95 scales the tables to 10 %. */
const atQuality95 = (base: readonly number[]): readonly number[] =>
  base.map((value) => Math.max(1, Math.floor((value * 10 + 50) / 100)));
const lumaTable = atQuality95(lumaBase);
const chromaTable = atQuality95(chromaBase);

/** Transforms, quantises and restores blocks of 8×8 samples. */
class BlockCodec {
  /** Orthonormal DCT-II, row-major [frequency, sample]. */
  private readonly basis = Float64Array.from(
    { length: 64 },
    (_, i) =>
      Math.sqrt((i < 8 ? 1 : 2) / 8) * Math.cos((((i & 7) * 2 + 1) * (i >> 3) * Math.PI) / 16),
  );
  private readonly block = new Float64Array(64);
  private readonly half = new Float64Array(64);
  private readonly coefficients = new Int32Array(64);

  roundTrip(plane: Plane, table: readonly number[]): Plane {
    const out = new Uint8Array(plane.data.length);
    const steps = table.map(fastStep);
    for (let top = 0; top < plane.height; top += 8)
      for (let left = 0; left < plane.width; left += 8) {
        for (let i = 0; i < 64; i++)
          this.block[i] = sample(plane, left + (i & 7), top + (i >> 3)) - 128;
        this.forward();
        table.forEach((step, i) => {
          const value = this.block[i] ?? 0;
          const level = Math.sign(value) * Math.floor(Math.abs(value) / step + 0.5);
          this.coefficients[i] = level * (steps[i] ?? 0);
        });
        for (let i = 0; i < 8; i++) fastInverse(this.coefficients, i, 8);
        for (let i = 0; i < 8; i++) fastInverse(this.coefficients, i * 8, 1);
        this.store(out, plane, { left, top });
      }
    return { ...plane, data: out };
  }

  private store(
    out: Uint8Array,
    plane: Plane,
    at: { readonly left: number; readonly top: number },
  ): void {
    const columns = Math.min(8, plane.width - at.left);
    const rows = Math.min(8, plane.height - at.top);
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++)
        out[(at.top + y) * plane.width + at.left + x] = toByte(
          ((this.coefficients[y * 8 + x] ?? 0) >> 5) + 128,
        );
  }

  /** block ← B · block · Bᵀ */
  private forward(): void {
    const { block, half, basis } = this;
    for (let i = 0; i < 64; i++) {
      let sum = 0;
      for (let k = 0; k < 8; k++) sum += (basis[(i & 56) + k] ?? 0) * (block[k * 8 + (i & 7)] ?? 0);
      half[i] = sum;
    }
    for (let i = 0; i < 64; i++) {
      let sum = 0;
      for (let k = 0; k < 8; k++) sum += (half[(i & 56) + k] ?? 0) * (basis[(i & 7) * 8 + k] ?? 0);
      block[i] = sum;
    }
  }
}

/** Scales of the transform by Arai, Agui and Nakajima: 1, and √2·cos(kπ/16) from k = 1 on. */
const fastScales = Array.from({ length: 8 }, (_, k) =>
  k === 0 ? 1 : Math.SQRT2 * Math.cos((k * Math.PI) / 16),
);

/** A quantisation step with the fast transform's scale folded in, and two bits of fraction. */
function fastStep(step: number, i: number): number {
  const scale = Math.round((fastScales[i >> 3] ?? 1) * (fastScales[i & 7] ?? 1) * 2 ** 14);
  return (step * scale + 2 ** 11) >> 12;
}

/**
 * The fast integer inverse transform of one row or column in place: five products with 8-bit
 * constants, all shifts rounding down.
 */
function fastInverse(values: Int32Array, at: number, stride: number): void {
  const read = (k: number): number => values[at + k * stride] ?? 0;
  const times = (value: number, constant: number): number => (value * constant) >> 8;
  const write = (k: number, even: number, odd: number): void => {
    values[at + k * stride] = even + odd;
    values[at + (7 - k) * stride] = even - odd;
  };
  const d0 = read(0);
  const d4 = read(4);
  const sum26 = read(2) + read(6);
  const turned26 = times(read(2) - read(6), 362) - sum26;
  const z13 = read(5) + read(3);
  const z10 = read(5) - read(3);
  const z11 = read(1) + read(7);
  const z12 = read(1) - read(7);
  const odd0 = z11 + z13;
  const z5 = times(z10 + z12, 473);
  const odd1 = times(z10, -669) + z5 - odd0;
  const odd2 = times(z11 - z13, 362) - odd1;
  const odd3 = times(z12, 277) - z5 + odd2;
  write(0, d0 + d4 + sum26, odd0);
  write(1, d0 - d4 + turned26, odd1);
  write(2, d0 - d4 - turned26, odd2);
  write(3, d0 + d4 - sum26, -odd3);
}
