import type { PolicyConfig } from './config';
import { badObservation } from './errors';
import { jpegRoundTrip } from './jpeg';
import type { Picture } from './types';

/** Contributions of input samples to each output sample of one axis. */
interface Taps {
  readonly first: Int32Array;
  readonly weights: readonly Float64Array[];
}

/** Pictures as the policy sees them: resized and cropped, and the network's input. */
export interface Prepared {
  readonly pictures: readonly Picture[];
  /** [1, 3 · towers · cameras, S, S] */
  readonly pixels: Float32Array;
}

/** Turns pictures of any size into the network's input (reference: policy forward §2). */
export class Preprocessor {
  private readonly tables: readonly Float32Array[];
  private readonly crop: CropAxis | undefined;
  private readonly resizeTaps = new Map<number, Taps>();

  constructor(private readonly config: PolicyConfig) {
    const size = config.imageSize;
    const area = config.entry.center_crop;
    this.crop = area < 1 ? cropAxis(size, area) : undefined;
    // One table of 256 values for each tower and colour, in float32 as the reference computes them.
    this.tables = config.normalization.flatMap(({ mean, std }) =>
      [0, 1, 2].map((c) =>
        Float32Array.from({ length: 256 }, (_, v) =>
          Math.fround(
            Math.fround(Math.fround(v / 255) - Math.fround(mean[c] ?? 0)) /
              Math.fround(std[c] ?? 1),
          ),
        ),
      ),
    );
  }

  /** Throws MV570 when the number of pictures is not the number of cameras. */
  prepare(images: readonly Picture[]): Prepared {
    const { cameras, imageSize: size } = this.config;
    if (images.length !== cameras.length)
      throw badObservation(
        `${images.length} ${images.length === 1 ? 'picture was' : 'pictures were'} given; this policy takes ${cameras.length} (${cameras.join(', ')})`,
      );
    const pictures = images.map((image) => {
      const resized = image.width === size && image.height === size ? image : this.resize(image);
      return this.crop ? cropPicture(resized, this.crop) : resized;
    });
    return { pictures, pixels: this.normalize(pictures) };
  }

  /** JPEG as the training data went through, then Lanczos-3 to S×S. */
  resize(image: Picture): Picture {
    const source = this.config.entry.jpeg ? jpegRoundTrip(image) : image;
    return resample(source, this.tapsFor(source.width), this.tapsFor(source.height));
  }

  private tapsFor(length: number): Taps {
    const known = this.resizeTaps.get(length);
    if (known) return known;
    const taps = lanczosTaps(length, this.config.imageSize);
    this.resizeTaps.set(length, taps);
    return taps;
  }

  private normalize(pictures: readonly Picture[]): Float32Array {
    const area = this.config.imageSize ** 2;
    const pixels = new Float32Array(pictures.length * this.tables.length * area);
    let at = 0;
    for (const { data } of pictures)
      this.tables.forEach((table, channel) => {
        const colour = channel % 3;
        for (let i = 0; i < area; i++) pixels[at + i] = table[data[i * 3 + colour] ?? 0] ?? 0;
        at += area;
      });
    return pixels;
  }
}

/** Lanczos-3, antialiased: taps from ⌈c − 3s − ½⌉ to ⌊c + 3s − ½⌋, weights normalised to sum 1. */
export function lanczosTaps(length: number, size: number): Taps {
  const first = new Int32Array(size);
  const step = length / size;
  const scale = Math.max(step, 1);
  const weights = Array.from({ length: size }, (_, out) => {
    const centre = (out + 0.5) * step;
    const from = Math.max(0, Math.ceil(centre - 3 * scale - 0.5));
    const to = Math.min(length - 1, Math.floor(centre + 3 * scale - 0.5));
    first[out] = from;
    const raw = Float64Array.from({ length: to - from + 1 }, (_, i) =>
      lanczos3((from + i + 0.5 - centre) / scale),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return raw.map((weight) => weight / sum);
  });
  return { first, weights };
}

function lanczos3(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 3) return 0;
  const angle = Math.PI * x;
  return (3 * Math.sin(angle) * Math.sin(angle / 3)) / (angle * angle);
}

/** Where the samples of a cropped axis lie: between `low` and `low + 1`, `share` of the way. */
interface CropAxis {
  readonly low: Int32Array;
  readonly share: Float32Array;
}

/**
 * The middle `side` of an axis in `size` samples, first and last on the box's edges. Positions are
 * float32 step by step, as the reference computes them: a rounding tie decides about whole bytes.
 */
function cropAxis(size: number, area: number): CropAxis {
  const f = Math.fround;
  const side = f(Math.sqrt(f(area)));
  const start = f(f(1 - side) / 2);
  const step = f(f(f(f(start + side) - start) * f(size - 1)) / f(size - 1));
  const low = new Int32Array(size);
  const share = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const position = f(f(start * f(size - 1)) + f(i * step));
    low[i] = Math.floor(position);
    share[i] = f(position - Math.floor(position));
  }
  return { low, share };
}

/** Crops and enlarges again: bilinear on values in 0 … 1, then ⌊v · 255.5⌋ (not rounding). */
function cropPicture({ width, height, data }: Picture, axis: CropAxis): Picture {
  const f = Math.fround;
  const unit = Float32Array.from({ length: 256 }, (_, v) => f(v * f(1 / 255)));
  const at = (x: number, y: number, c: number): number =>
    unit[data[(Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 3 + c] ?? 0] ?? 0;
  const mix = (a: number, b: number, share: number): number => f(a + f(f(b - a) * share));
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [left = 0, top = 0] = [axis.low[x], axis.low[y]];
      const [across = 0, down = 0] = [axis.share[x], axis.share[y]];
      for (let c = 0; c < 3; c++) {
        const upper = mix(at(left, top, c), at(left + 1, top, c), across);
        const lower = mix(at(left, top + 1, c), at(left + 1, top + 1, c), across);
        const value = Math.min(1, Math.max(0, mix(upper, lower, down)));
        out[(y * width + x) * 3 + c] = Math.floor(f(value * 255.5));
      }
    }
  return { width, height, data: out };
}

/** Separable resampling in float64, rounded once: along rows, then along columns. */
function resample(picture: Picture, across: Taps, down: Taps): Picture {
  const { width, height, data } = picture;
  const size = across.first.length;
  const rows = convolve(data, across, { outer: height, length: width, inner: 3 });
  const both = convolve(rows, down, { outer: 1, length: height, inner: size * 3 });
  return { width: size, height: size, data: Uint8Array.from(both, roundByte) };
}

/** Weighted sums along the middle axis of `[outer, length, inner]`. */
function convolve(
  source: ArrayLike<number>,
  { first, weights }: Taps,
  shape: { readonly outer: number; readonly length: number; readonly inner: number },
): Float64Array {
  const { outer, length, inner } = shape;
  const out = new Float64Array(outer * first.length * inner);
  let at = 0;
  for (let block = 0; block < outer; block++)
    weights.forEach((row, o) => {
      const from = (block * length + (first[o] ?? 0)) * inner;
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let k = 0; k < row.length; k++)
          sum += (row[k] ?? 0) * (source[from + k * inner + i] ?? 0);
        out[at++] = sum;
      }
    });
  return out;
}

/** Round half to even, clipped to 0 … 255. */
function roundByte(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0);
  return Math.min(255, Math.max(0, up ? low + 1 : low));
}
