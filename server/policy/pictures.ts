import { decode as decodePng } from 'fast-png';
import { decode as decodeJpeg } from 'jpeg-js';
import { badPicture } from './errors';
import type { Picture } from './types';

/** A camera frame above this is a mistake, and its decoded form would not fit the memory. */
const maximumPixels = 64_000_000;

/**
 * Decodes a PNG or JPEG to 8-bit RGB. 16-bit values are rounded to 8, grey is spread over the three
 * colours, palettes are looked up; an alpha channel is dropped when everything is opaque and refused
 * otherwise, because nobody knows what lies behind. Throws `MergeError` MV571 naming the picture.
 */
export function decodePicture(bytes: Uint8Array, name: string): Picture {
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47])) return readPng(bytes, name);
  if (startsWith(bytes, [0xff, 0xd8])) return readJpeg(bytes, name);
  throw badPicture(name, 'is neither a PNG nor a JPEG');
}

/** The picture turned by 180°: both axes reversed. */
export function turnPicture(picture: Picture): Picture {
  const { width, height, data } = picture;
  const out = new Uint8Array(data.length);
  const last = width * height - 1;
  for (let pixel = 0; pixel <= last; pixel++)
    for (let c = 0; c < 3; c++) out[pixel * 3 + c] = data[(last - pixel) * 3 + c] ?? 0;
  return { width, height, data: out };
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
  readonly channels: number;
  /** Largest value of a channel. */
  readonly top: number;
}

function readPng(bytes: Uint8Array, name: string): Picture {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 24) checkSize(header.getUint32(16), header.getUint32(20), name);
  const png = attempt(name, 'PNG', () => decodePng(bytes, { checkCrc: true }));
  const { width, height, palette, depth } = png;
  if (png.transparency && !palette)
    throw badPicture(name, 'has a transparent colour; save it without transparency');
  const data = unpackSamples(png.data, width * png.channels, height, depth);
  if (palette) return toRgb({ width, height, ...lookUp(data, palette), top: 255 }, name);
  return toRgb({ width, height, data, channels: png.channels, top: 2 ** depth - 1 }, name);
}

/** Palette indices to colours. */
function lookUp(
  indices: ArrayLike<number>,
  palette: readonly (readonly number[])[],
): { readonly data: Uint8Array; readonly channels: number } {
  const channels = palette[0]?.length ?? 3;
  const data = new Uint8Array(indices.length * channels);
  for (let i = 0; i < indices.length; i++) data.set(palette[indices[i] ?? 0] ?? [], i * channels);
  return { data, channels };
}

/** Samples of 1, 2 or 4 bits, packed row by row, most significant first. */
function unpackSamples(
  packed: ArrayLike<number>,
  width: number,
  height: number,
  depth: number,
): ArrayLike<number> {
  if (depth >= 8) return packed;
  const stride = Math.ceil((width * depth) / 8);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = packed[y * stride + (bit >> 3)] ?? 0;
      out[y * width + x] = (byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  return out;
}

function readJpeg(bytes: Uint8Array, name: string): Picture {
  const { width, height, data } = attempt(name, 'JPEG', () =>
    decodeJpeg(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: maximumPixels / 1e6,
    }),
  );
  checkSize(width, height, name);
  return { width, height, data };
}

function attempt<T>(name: string, kind: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw badPicture(name, `is a damaged or truncated ${kind} (${why})`);
  }
}

function checkSize(width: number, height: number, name: string): void {
  if (width === 0 || height === 0) throw badPicture(name, 'has no pixels');
  if (width * height > maximumPixels)
    throw badPicture(name, `has ${width} × ${height} pixels, above the limit of 64 million`);
}

/** Grey, grey + alpha, RGB or RGBA of any depth to 8-bit RGB. */
function toRgb({ width, height, data, channels, top }: Decoded, name: string): Picture {
  const out = new Uint8Array(width * height * 3);
  const hasAlpha = channels === 2 || channels === 4;
  const isGrey = channels <= 2;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    if (hasAlpha && data[at + channels - 1] !== top)
      throw badPicture(name, 'is partly transparent; save it without an alpha channel');
    for (let c = 0; c < 3; c++) {
      const value = data[at + (isGrey ? 0 : c)] ?? 0;
      out[pixel * 3 + c] = top === 255 ? value : Math.round((value * 255) / top);
    }
  }
  return { width, height, data: out };
}
