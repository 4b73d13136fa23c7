import { decodePicture } from '../policy/pictures';
import type { Picture } from '../policy/types';
import { isRecord } from '../protocol/shape';
import { asArray } from './arrays';

/**
 * A picture from the wire: an array of bytes [height, width, 3] (or [3, height, width]), or a map
 * with `__image__` holding a PNG, a JPEG or raw bytes. Throws in one sentence naming `key`.
 */
export function wirePicture(value: unknown, key: string): Picture {
  if (isRecord(value) && value['__image__'] === true) return encodedPicture(value, key);
  const array = asArray(value);
  if (!array) throw new Error(`${key} is not a picture`);
  if (array.dtype !== '|u1')
    throw new Error(`${key} has dtype ${array.dtype}; pictures are uint8 from 0 to 255`);
  return fromBytes(array.data, array.shape, key);
}

function encodedPicture(value: Readonly<Record<string, unknown>>, key: string): Picture {
  const { format, data, shape } = value;
  if (!(data instanceof Uint8Array)) throw new Error(`${key} has no data`);
  if (format === 'png' || format === 'jpeg') return decodePicture(data, key);
  if (format === 'raw' && Array.isArray(shape)) return fromBytes(data, shape.map(Number), key);
  throw new Error(
    `${key} has the format ${JSON.stringify(format)}; png, jpeg and raw are understood`,
  );
}

function fromBytes(data: Uint8Array, given: readonly number[], key: string): Picture {
  // A leading axis of one is a batch or a time step.
  const shape = given.length === 4 && given[0] === 1 ? given.slice(1) : given;
  const size = shape.reduce((product, length) => product * length, 1);
  if (shape.length !== 3 || data.length !== size || size === 0)
    throw new Error(`${key} has shape [${given.join(', ')}]; a picture is [height, width, 3]`);
  const [first, second, third] = shape as [number, number, number];
  if (third === 3) return { width: second, height: first, data };
  if (first === 3) return { width: third, height: second, data: interleave(data, second * third) };
  throw new Error(`${key} has ${third} channels; a picture is [height, width, 3]`);
}

/** Colour planes to pixels. */
function interleave(planes: Uint8Array, area: number): Uint8Array {
  const out = new Uint8Array(planes.length);
  for (let i = 0; i < area; i++)
    for (let c = 0; c < 3; c++) out[i * 3 + c] = planes[c * area + i] ?? 0;
  return out;
}
