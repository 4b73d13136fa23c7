import type { Pairing, RouteAnswer } from '../routing';
import { isRouteAnswer } from '../routing';
import type { Guard } from '../shape';
import {
  arrayOf,
  isBoolean,
  isCount,
  isNumber,
  isString,
  literal,
  object,
  optional,
  tagged,
} from '../shape';
import type { Banner, CommonFromPanel, CommonToPanel, Phase, Revised, RunName } from './shared';
import { commonFromPanel, commonToPanel, isBanner, isPhase } from './shared';

export type ObservationSource = 'images' | 'frame' | 'episode';

/** One recorded episode as the router saw its first observation. */
export interface RoutedEpisode {
  readonly id: string;
  readonly seed: number;
  /** Place of the true and the chosen task in `tasks`. */
  readonly truth: number;
  readonly routed: number;
  /** r of the true task minus the best other: negative when the route is wrong. */
  readonly margin: number;
  readonly pTrue: number;
  readonly pRouted: number;
  readonly success: boolean;
  readonly reason: string;
  readonly steps: number;
  readonly replay: boolean;
}

export interface RoutedSet {
  readonly episodes: readonly RoutedEpisode[];
  /** Share routed right with its 95 % interval; 0 to 1 where there are none. */
  readonly right: number;
  readonly low: number;
  readonly high: number;
}

/** A picture that the user gave for an observation. */
export interface GivenPicture {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
}

/** The observation that the user is putting together. */
export interface GivenObservation {
  /** In camera order. */
  readonly images: readonly GivenPicture[];
  readonly instruction: string;
  /** As typed: a list of numbers, or empty. */
  readonly proprio: string;
}

/** Numbers with spaces or commas between them, or a JSON list; empty text is no state. */
export function parseState(text: string): readonly number[] | undefined {
  const inner = text
    .trim()
    .replace(/^\[|\]$/g, '')
    .replace(/\u2212/g, '-')
    .trim();
  if (inner === '') return [];
  const numbers = inner
    .split(/\s*,\s*|\s+/)
    .map((part) => (part === '' ? Number.NaN : Number(part)));
  return numbers.every(Number.isFinite) ? numbers : undefined;
}

/** Base64 of 8 MB; a camera frame has less than one. */
export const largestPicture = 8 * 1024 * 1024;
export const mostPictures = 8;

export interface RoutingSnapshot {
  readonly phase: Phase;
  readonly banners: readonly Banner[];
  readonly runs: readonly ({ readonly id: string } & RunName)[];
  readonly run?: string;
  /** Tasks in recipe order. */
  readonly tasks: readonly string[];
  readonly source: ObservationSource;
  readonly frames: readonly { readonly id: string; readonly label: string }[];
  readonly frame?: string;
  readonly given: GivenObservation;
  /** Names of the policy's cameras, once it was loaded. */
  readonly cameras?: readonly string[];
  /** File name of the chosen dataset. */
  readonly dataset?: string;
  /** What is being computed, while it is: the answer on screen is the one before. */
  readonly busy?: string;
  readonly answer?: RouteAnswer;
  readonly same?: RoutedSet;
  readonly crossed?: RoutedSet;
  /** The recipe's pairing. */
  readonly pairing: Pairing;
  readonly trusted: boolean;
}

export type ToRoutingPanel = Revised &
  (
    | CommonToPanel<RoutingSnapshot>
    /** What `wantPicture` asked for: base64 of a PNG or JPEG. */
    | { readonly type: 'picture'; readonly id: string; readonly content: string }
  );

export type FromRoutingPanel =
  | CommonFromPanel
  | { readonly type: 'selectRun'; readonly id: string }
  | { readonly type: 'setSource'; readonly source: ObservationSource }
  | { readonly type: 'selectFrame'; readonly id: string }
  | { readonly type: 'route' }
  /** Ends what `busy` names. */
  | { readonly type: 'stop' }
  /** Pictures that were dropped on the page: their bytes as base64. */
  | {
      readonly type: 'addPictures';
      readonly pictures: readonly { readonly name: string; readonly content: string }[];
    }
  /** Addresses of pictures that were dropped on the page from a tree of the editor. */
  | { readonly type: 'addFiles'; readonly uris: readonly string[] }
  | { readonly type: 'pickPictures' }
  | { readonly type: 'wantPicture'; readonly id: string }
  /** Order of the pictures that stay, and the texts as they stand. */
  | {
      readonly type: 'setObservation';
      readonly images: readonly string[];
      readonly instruction: string;
      readonly proprio: string;
    }
  | { readonly type: 'pickDataset' }
  | { readonly type: 'replay'; readonly id: string }
  | { readonly type: 'showEpisodes' };

type From<K extends FromRoutingPanel['type']> = Extract<FromRoutingPanel, { type: K }>;
const isSource = literal('images', 'frame', 'episode');

function shorter(most: number): Guard<string> {
  return (value): value is string => isString(value) && value.length <= most;
}

function fewer<T>(most: number, item: Guard<T>): Guard<readonly T[]> {
  const list = arrayOf(item);
  return (value): value is readonly T[] => list(value) && value.length <= most;
}

export const isFromRoutingPanel = tagged<FromRoutingPanel>({
  ...commonFromPanel,
  selectRun: object<From<'selectRun'>>({ type: literal('selectRun'), id: isString }),
  setSource: object<From<'setSource'>>({ type: literal('setSource'), source: isSource }),
  selectFrame: object<From<'selectFrame'>>({ type: literal('selectFrame'), id: isString }),
  route: object<From<'route'>>({ type: literal('route') }),
  stop: object<From<'stop'>>({ type: literal('stop') }),
  addPictures: object<From<'addPictures'>>({
    type: literal('addPictures'),
    pictures: fewer(
      mostPictures,
      object<{ name: string; content: string }>({
        name: shorter(1024),
        content: shorter(Math.ceil(largestPicture / 3) * 4),
      }),
    ),
  }),
  addFiles: object<From<'addFiles'>>({
    type: literal('addFiles'),
    uris: fewer(mostPictures, shorter(4096)),
  }),
  pickPictures: object<From<'pickPictures'>>({ type: literal('pickPictures') }),
  wantPicture: object<From<'wantPicture'>>({ type: literal('wantPicture'), id: isString }),
  setObservation: object<From<'setObservation'>>({
    type: literal('setObservation'),
    images: fewer(mostPictures, isString),
    instruction: shorter(100_000),
    proprio: shorter(100_000),
  }),
  pickDataset: object<From<'pickDataset'>>({ type: literal('pickDataset') }),
  replay: object<From<'replay'>>({ type: literal('replay'), id: isString }),
  showEpisodes: object<From<'showEpisodes'>>({ type: literal('showEpisodes') }),
});

const isSet = object<RoutedSet>({
  episodes: arrayOf(
    object<RoutedEpisode>({
      id: isString,
      seed: isCount,
      truth: isCount,
      routed: isCount,
      margin: isNumber,
      pTrue: isNumber,
      pRouted: isNumber,
      success: isBoolean,
      reason: isString,
      steps: isCount,
      replay: isBoolean,
    }),
  ),
  right: isNumber,
  low: isNumber,
  high: isNumber,
});

const isChoice = object<{ id: string; label: string }>({ id: isString, label: isString });
const isSnapshot = object<RoutingSnapshot>({
  phase: isPhase,
  banners: arrayOf(isBanner),
  runs: arrayOf(
    object<RoutingSnapshot['runs'][number]>({
      id: isString,
      label: isString,
      recipeHash: optional(isString),
    }),
  ),
  run: optional(isString),
  tasks: arrayOf(isString),
  source: isSource,
  frames: arrayOf(isChoice),
  frame: optional(isString),
  given: object<GivenObservation>({
    images: arrayOf(object<GivenPicture>({ id: isString, name: isString, bytes: isCount })),
    instruction: isString,
    proprio: isString,
  }),
  cameras: optional(arrayOf(isString)),
  dataset: optional(isString),
  busy: optional(isString),
  answer: optional(isRouteAnswer),
  same: optional(isSet),
  crossed: optional(isSet),
  pairing: literal('same', 'crossed'),
  trusted: isBoolean,
});

type To<K extends ToRoutingPanel['type']> = Extract<ToRoutingPanel, { type: K }>;

export const isToRoutingPanel = tagged<ToRoutingPanel>({
  ...commonToPanel(isSnapshot),
  picture: object<To<'picture'>>({
    type: literal('picture'),
    revision: isCount,
    id: isString,
    content: isString,
  }),
});
