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
  private readonly cropTaps: Taps | undefined;
  private readonly resizeTaps = new Map<number, Taps>();

  constructor(private readonly config: PolicyConfig) {
    const size = config.imageSize;
    const side = Math.sqrt(config.entry.center_crop);
    this.cropTaps = side < 1 ? cropTaps(size, side) : undefined;
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
    const { cameras, imageSize: size, entry } = this.config;
    if (images.length !== cameras.length)
      throw badObservation(
        `${images.length} ${images.length === 1 ? 'picture was' : 'pictures were'} given; this policy takes ${cameras.length} (${cameras.join(', ')})`,
      );
    const pictures = images.map((image) => {
      const resized = image.width === size && image.height === size ? image : this.resize(image);
      return this.cropTaps ? resample(resized, [this.cropTaps, this.cropTaps], cropByte) : resized;
    });
    void entry;
    return { pictures, pixels: this.normalize(pictures) };
  }

  /** JPEG as the training data went through, then Lanczos-3 to S×S. */
  resize(image: Picture): Picture {
    const source = this.config.entry.jpeg ? jpegRoundTrip(image) : image;
    return resample(source, [this.tapsFor(source.width), this.tapsFor(source.height)], roundByte);
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

/** Bilinear samples of the middle `side` of an axis; first and last lie on the box's edges. */
function cropTaps(size: number, side: number): Taps {
  const first = new Int32Array(size);
  const weights = Array.from({ length: size }, (_, i) => {
    const position = ((1 - side) / 2) * (size - 1) + i * side;
    const low = Math.min(Math.floor(position), size - 1);
    first[i] = low;
    const share = position - low;
    return low + 1 < size ? Float64Array.of(1 - share, share) : Float64Array.of(1);
  });
  return { first, weights };
}

/** Separable resampling in float64: rows of the result, then columns. */
function resample(
  picture: Picture,
  [across, down]: readonly [Taps, Taps],
  toByte: (value: number) => number,
): Picture {
  const { width, height, data } = picture;
  const size = across.first.length;
  const lines = new Float64Array(height * size * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < size; x++) {
      const weights = across.weights[x] ?? new Float64Array();
      const from = (y * width + (across.first[x] ?? 0)) * 3;
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++)
          sum += (weights[k] ?? 0) * (data[from + k * 3 + c] ?? 0);
        lines[(y * size + x) * 3 + c] = sum;
      }
    }
  const out = new Uint8Array(size * size * 3);
  const stride = size * 3;
  for (let y = 0; y < size; y++) {
    const weights = down.weights[y] ?? new Float64Array();
    const from = (down.first[y] ?? 0) * stride;
    for (let i = 0; i < stride; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++)
        sum += (weights[k] ?? 0) * (lines[from + k * stride + i] ?? 0);
      out[y * stride + i] = toByte(sum);
    }
  }
  return { width: size, height: size, data: out };
}

/** Round half to even, clipped to 0 … 255. */
function roundByte(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0);
  return Math.min(255, Math.max(0, up ? low + 1 : low));
}

/** The reference multiplies values in 0 … 1 by 255.5 and cuts off; plain rounding differs. */
function cropByte(value: number): number {
  return Math.floor(Math.min(1, Math.max(0, value / 255)) * 255.5);
}
