import type { Guard } from './shape';
import {
  arrayOf,
  isCount,
  isNumber,
  isString,
  literal,
  object,
  oneOf,
  optional,
  recordOf,
} from './shape';

/** What `mergevla route --json` prints. `detail` is there with `--detail`, which the panel asks for. */
export interface RouteAnswer {
  /** Raw score r for each task, in recipe order. */
  readonly scores: Readonly<Record<string, number>>;
  /** The two parts whose mean is r: the task path's and the action path's mean norm. */
  readonly paths: Readonly<Record<string, RoutePaths>>;
  readonly softmax: Readonly<Record<string, number>>;
  readonly chosen: string;
  readonly device: string;
  readonly seconds: number;
  /** Scores were divided by their means over stored first frames, which is outside the paper. */
  readonly offset?: 'stored';
  readonly detail?: RouteDetail;
}

export interface RoutePaths {
  readonly task_path: number;
  readonly action_path: number;
}

export interface RouteDetail {
  /** The pairing of the recipe, which `scores` above belong to. */
  readonly pairing: Pairing;
  readonly precision: string;
  readonly images: readonly RouteImage[];
  readonly instruction: string;
  readonly proprio?: readonly number[];
  readonly pairings: Readonly<Record<Pairing, PairingAnswer>>;
}

/** `same`: P_T with h_T and P_A with h_A. `crossed`: P_T with h_A and P_A with h_T, as Algorithm 1 prints. */
export type Pairing = 'same' | 'crossed';

export interface RouteImage {
  readonly camera: string;
  /** Size of the picture in `png`. */
  readonly width: number;
  readonly height: number;
  /** Base64 of a PNG: the picture as the model saw it, after crop and resize, before normalisation. */
  readonly png: string;
  /** Rows and columns of patches. */
  readonly grid: readonly [number, number];
}

export interface PairingAnswer {
  readonly scores: Readonly<Record<string, number>>;
  readonly paths: Readonly<Record<string, RoutePaths>>;
  readonly softmax: Readonly<Record<string, number>>;
  readonly chosen: string;
  /** Largest minus second largest raw score; 0 with one task. */
  readonly margin: number;
  readonly tokens: Readonly<Record<string, TokenNorms>>;
}

/** Norms of the projected hidden state of each token that could enter the mean, for one candidate. */
export interface TokenNorms {
  /** For each image, row-major over its patch grid; null where the score leaves the patch out. */
  readonly patches: readonly (readonly (number | null)[])[];
  /** One for each action query that entered the mean. */
  readonly slots: readonly number[];
}

const numbers = recordOf(isNumber);
const paths = recordOf(object<RoutePaths>({ task_path: isNumber, action_path: isNumber }));
const isGrid: Guard<readonly [number, number]> = (value): value is readonly [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((item) => isCount(item));

const isPairingAnswer = object<PairingAnswer>({
  scores: numbers,
  paths,
  softmax: numbers,
  chosen: isString,
  margin: isNumber,
  tokens: recordOf(
    object<TokenNorms>({
      patches: arrayOf(arrayOf(oneOf(isNumber, literal(null)))),
      slots: arrayOf(isNumber),
    }),
  ),
});

export const isRouteAnswer = object<RouteAnswer>({
  scores: numbers,
  paths,
  softmax: numbers,
  chosen: isString,
  device: isString,
  seconds: isNumber,
  offset: optional(literal('stored')),
  detail: optional(
    object<RouteDetail>({
      pairing: literal('same', 'crossed'),
      precision: isString,
      images: arrayOf(
        object<RouteImage>({
          camera: isString,
          width: isCount,
          height: isCount,
          png: isString,
          grid: isGrid,
        }),
      ),
      instruction: isString,
      proprio: optional(arrayOf(isNumber)),
      pairings: object<Record<Pairing, PairingAnswer>>({
        same: isPairingAnswer,
        crossed: isPairingAnswer,
      }),
    }),
  ),
});
