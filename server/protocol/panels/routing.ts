import type { Pairing, RouteAnswer } from '../routing';
import { isRouteAnswer } from '../routing';
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
import type { Banner, CommonFromPanel, Phase, Revised } from './shared';
import { commonFromPanel, isBanner, isPhase } from './shared';

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

export interface RoutingSnapshot {
  readonly phase: Phase;
  readonly banners: readonly Banner[];
  readonly runs: readonly { readonly id: string; readonly label: string }[];
  readonly run?: string;
  /** Tasks in recipe order. */
  readonly tasks: readonly string[];
  readonly source: ObservationSource;
  readonly frames: readonly { readonly id: string; readonly label: string }[];
  readonly frame?: string;
  readonly answer?: RouteAnswer;
  readonly same?: RoutedSet;
  readonly crossed?: RoutedSet;
  /** The recipe's pairing. */
  readonly pairing: Pairing;
  readonly trusted: boolean;
}

export type ToRoutingPanel = Revised &
  (
    | { readonly type: 'snapshot'; readonly snapshot: RoutingSnapshot }
    | { readonly type: 'answer'; readonly answer: RouteAnswer; readonly frame?: string }
    | { readonly type: 'status'; readonly phase: Phase; readonly banners: readonly Banner[] }
  );

export type FromRoutingPanel =
  | CommonFromPanel
  | { readonly type: 'selectRun'; readonly id: string }
  | { readonly type: 'setSource'; readonly source: ObservationSource }
  | { readonly type: 'selectFrame'; readonly id: string }
  | { readonly type: 'route' }
  | { readonly type: 'replay'; readonly id: string }
  | { readonly type: 'showEpisodes' };

type From<K extends FromRoutingPanel['type']> = Extract<FromRoutingPanel, { type: K }>;
const isSource = literal('images', 'frame', 'episode');

export const isFromRoutingPanel = tagged<FromRoutingPanel>({
  ...commonFromPanel,
  selectRun: object<From<'selectRun'>>({ type: literal('selectRun'), id: isString }),
  setSource: object<From<'setSource'>>({ type: literal('setSource'), source: isSource }),
  selectFrame: object<From<'selectFrame'>>({ type: literal('selectFrame'), id: isString }),
  route: object<From<'route'>>({ type: literal('route') }),
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
  runs: arrayOf(isChoice),
  run: optional(isString),
  tasks: arrayOf(isString),
  source: isSource,
  frames: arrayOf(isChoice),
  frame: optional(isString),
  answer: optional(isRouteAnswer),
  same: optional(isSet),
  crossed: optional(isSet),
  pairing: literal('same', 'crossed'),
  trusted: isBoolean,
});

type To<K extends ToRoutingPanel['type']> = Extract<ToRoutingPanel, { type: K }>;

export const isToRoutingPanel = tagged<ToRoutingPanel>({
  snapshot: object<To<'snapshot'>>({
    type: literal('snapshot'),
    revision: isCount,
    snapshot: isSnapshot,
  }),
  answer: object<To<'answer'>>({
    type: literal('answer'),
    revision: isCount,
    answer: isRouteAnswer,
    frame: optional(isString),
  }),
  status: object<To<'status'>>({
    type: literal('status'),
    revision: isCount,
    phase: isPhase,
    banners: arrayOf(isBanner),
  }),
});
