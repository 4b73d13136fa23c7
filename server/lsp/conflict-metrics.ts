import type { Estimate, MergeReport } from '../protocol/report';
import type { Recipe } from '../recipe/schema';
import type { Analysis } from './documents';

/** Numbers about a recipe as it stands, and where they come from. */
export type MetricsAnswer =
  | { readonly state: 'none'; readonly reason?: string }
  | {
      /** A sample is being read; the next question may have numbers. */
      readonly state: 'reading';
      readonly bytesRead: number;
      readonly bytesTotal: number;
      readonly remainingSeconds?: number;
    }
  | {
      readonly state: 'ready';
      readonly report: MergeReport<Estimate | number>;
      readonly source: MetricsSource;
      /** How many tensors are in an estimate. */
      readonly merged?: number;
    };

export type MetricsSource =
  | { readonly kind: 'exact'; readonly run: string; readonly name: string }
  | { readonly kind: 'estimate'; readonly share: number; readonly seconds: number };

/** Active ratio of every task, and the selfish share, for each value of a parameter. */
export interface MetricsCurve {
  readonly grid: readonly number[];
  readonly active: Readonly<Record<string, readonly (Estimate | number)[]>>;
  /** Share of the retained positions that only one task keeps. */
  readonly selfish?: readonly (Estimate | number)[];
}

/** A recipe with other numbers or another method, as the same files would give it. */
export type RecipeChange = (recipe: Recipe) => Recipe;

/** What a finished run measured, to read estimates against. */
export interface Yardstick {
  readonly name: string;
  readonly recipe: Recipe;
  readonly report: MergeReport;
}

/** How much of a report is wanted, and of which recipe; less is faster. */
export interface ReportDetail {
  /** Figures of single tensors, or of the named ones. */
  readonly detail: 'all' | 'none' | readonly string[];
  /** From the first round of the sample alone, while a slider moves. */
  readonly quick: boolean;
  readonly change?: RecipeChange;
}

/** The points of a curve: for each value of the grid, the recipe with that value. */
export interface CurveQuestion {
  readonly grid: readonly number[];
  readonly at: (value: number) => RecipeChange;
}

/**
 * Where hovers, lenses and hints take numbers from. Answers come from memory at once: a provider starts
 * reading in the background when asked and tells `onDidChange` when there is more.
 */
export interface ConflictMetrics {
  report(recipe: Analysis, how?: ReportDetail): MetricsAnswer;
  /** Undefined until it is known, and where the provider cannot vary the parameter. */
  curve(recipe: Analysis, question: CurveQuestion): MetricsCurve | undefined;
  /** The same inputs merged by another method; undefined where that is not known. */
  withMethod(recipe: Analysis, method: string): MergeReport<Estimate | number> | undefined;
  /** Resolves when nothing is being computed for a recipe, or after `milliseconds`. */
  settled(recipe: Analysis, milliseconds: number): Promise<void>;
  /** A finished run that differs from the recipe in λ, α and density at most. */
  yardstick(recipe: Analysis): Yardstick | undefined;
  /** Ends reading for a recipe until it is asked `again`; what was read stays. */
  stop(uri: string): void;
  again(uri: string): void;
  /** The recipe was closed. */
  forget(uri: string): void;
  /** Tells the recipe whose numbers changed. */
  onDidChange(listener: (uri: string) => void): void;
}
