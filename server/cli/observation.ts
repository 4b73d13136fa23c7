import { readFrame, readPicture } from '../jobs/frames';
import { turnPicture } from '../policy/pictures';
import type { Observation, Picture } from '../policy/types';
import {
  arrayOf,
  isBoolean,
  isNumber,
  isString,
  object,
  optional,
  type Guard,
} from '../protocol/shape';
import { usage } from './arguments';
import type { Call } from './verb';

/** Where an observation comes from: pictures with an instruction, or a frame of a file. */
export interface ObservationRequest {
  /** Paths, in camera order. */
  readonly images?: readonly string[];
  /** `FILE#N`; what is given beside it replaces the file's. */
  readonly frame?: string;
  readonly instruction?: string;
  readonly proprio?: readonly number[];
  /** Pictures are upside down, as raw LIBERO frames are. */
  readonly turned?: boolean;
}

export const isObservationRequest: Guard<ObservationRequest> = object<ObservationRequest>({
  images: optional(arrayOf(isString)),
  frame: optional(isString),
  instruction: optional(isString),
  proprio: optional(arrayOf(isNumber)),
  turned: optional(isBoolean),
});

/** An observation for a policy whose pictures have an edge of `size` pixels. */
export type Seen = (size: number) => Promise<Observation>;

/** What `--images` or `--frame`, `--instruction`, `--proprio` and `--rotate` describe. */
export function observationRequest({ options }: Call): ObservationRequest {
  const [frame, instruction] = [options.text('frame'), options.text('instruction')];
  const images = options.text('images')?.split(',').filter(Boolean);
  const proprio = options.text('proprio');
  return {
    turned: readRotation(options.text('rotate')),
    ...(images && { images }),
    ...(frame !== undefined && { frame }),
    ...(instruction !== undefined && { instruction }),
    ...(proprio !== undefined && { proprio: parseProprio(proprio) }),
  };
}

/**
 * Pictures are read at once, so that a bad one is told before a model is loaded; a frame may have to be
 * drawn, in the size that the policy takes.
 */
export async function readObservation(request: ObservationRequest): Promise<Seen> {
  const { images, frame, instruction, proprio, turned } = request;
  const upright = (pictures: readonly Picture[]) =>
    turned === true ? pictures.map(turnPicture) : pictures;
  const own = {
    ...(instruction !== undefined && { instruction }),
    ...(proprio !== undefined && { proprio }),
  };
  if (frame !== undefined) {
    if (images) throw usage('--frame brings its own pictures; leave --images out');
    return async (size) => {
      const seen = await readFrame(frame, size);
      return { ...seen, images: upright(seen.images), ...own };
    };
  }
  if (!images || instruction === undefined)
    throw usage(`--${images ? 'instruction' : 'images'} is needed`);
  const pictures = upright(await Promise.all(images.map(readPicture)));
  return () => Promise.resolve({ ...own, instruction, images: pictures });
}

function parseProprio(text: string): number[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || !value.every(isNumber))
    throw usage(`--proprio takes a JSON list of numbers such as [0.1, 0.2], not ${text}`);
  return value;
}

/** Whether pictures are to be turned by 180°. */
export function readRotation(text: string | undefined): boolean {
  if (text === undefined || text === '0') return false;
  if (text === '180') return true;
  throw usage(`--rotate takes 0 or 180, not ${text}`);
}
