import type {
  FromRoutingPanel,
  RoutedSet,
  RoutingSnapshot,
  ToRoutingPanel,
} from '../../server/protocol/panels/routing';
import type { Pairing, PairingAnswer, RouteDetail } from '../../server/protocol/routing';
import type { Page } from '../shared/page';
import type { Theme } from '../shared/theme';

export interface RoutingModel {
  readonly snapshot: RoutingSnapshot;
  readonly theme: Theme;
  /** Candidate whose patches are shown; -1 is the winner against the second. */
  readonly candidate: number | undefined;
  /** 0 to 1. */
  readonly opacity: number;
  readonly margins: Pairing;
  /** Tables in the place of charts. */
  readonly twin: boolean;
  /** Cell of a confusion matrix whose episodes are listed; undefined: those routed wrong. */
  readonly filter: EpisodeFilter | undefined;
}

export type RoutingPage = Page<RoutingModel, ToRoutingPanel, FromRoutingPanel>;

export interface EpisodeFilter {
  readonly pairing: Pairing;
  readonly truth: number;
  readonly routed: number;
}

export interface RoutingActions {
  choose(candidate: number): void;
  setOpacity(opacity: number): void;
  setMargins(pairing: Pairing): void;
  setFilter(filter: EpisodeFilter | undefined): void;
  openEpisode(id: string): void;
  replay(id: string): void;
  showEpisodes(): void;
  copy(text: string): void;
  route(): void;
  act(id: string): void;
  addPictures(pictures: readonly { readonly name: string; readonly content: string }[]): void;
  addFiles(uris: readonly string[]): void;
  pickPictures(): void;
  pickDataset(): void;
  wantPicture(id: string): void;
  setObservation(images: readonly string[], instruction: string, proprio: string): void;
}

/** Details of the answer on screen, with the recipe's pairing. */
export function detailOf({
  snapshot,
}: RoutingModel): { readonly detail: RouteDetail; readonly own: PairingAnswer } | undefined {
  const detail = snapshot.answer?.detail;
  return detail ? { detail, own: detail.pairings[detail.pairing] } : undefined;
}

export function setOf({ snapshot }: RoutingModel, pairing: Pairing): RoutedSet | undefined {
  return pairing === 'same' ? snapshot.same : snapshot.crossed;
}

/** Names of the winner and the runner-up by raw score. */
export function firstTwo(answer: PairingAnswer): readonly [string, string | undefined] {
  const order = Object.entries(answer.scores).sort((a, b) => b[1] - a[1]);
  const second = order.find(([task]) => task !== answer.chosen)?.[0];
  return [answer.chosen, second];
}

/** A close call: the margin is small, or no candidate has half of the softmax. */
export function nearlyTied({ margin, softmax, chosen }: PairingAnswer): boolean {
  return Object.keys(softmax).length > 1 && (margin < 0.2 || (softmax[chosen] ?? 0) < 0.5);
}
