/** `sweep.json`: written before anything runs, never changed. */
export interface SweepRecord {
  readonly version: 1;
  readonly name: string;
  /** Absolute path of the recipe; its relative paths are read from its folder. */
  readonly recipePath: string;
  readonly points: number;
  readonly created: string;
}

/** A line of `points.jsonl`; line i is point i. */
export interface PointRecord {
  /** Of what the point is computed from: equal points of two sweeps have equal ids. */
  readonly id: string;
  readonly index: number;
  readonly kind: 'merge';
  /** `alpha=0.5 lambda=0.4`. */
  readonly label: string;
  /** Dotted recipe key → value. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The point's own recipe. */
  readonly recipe: string;
}

/** `points/<id>/result.json`: its being there is what makes a point done. */
export interface PointResult {
  readonly schema: 'mergevla.point/1';
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Flat numbers, as in the run's `metrics.json`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Folder of the run, relative to the point's. */
  readonly run: string;
  readonly seconds: number;
  readonly host: string;
  readonly version: string;
}

/** `points/<id>/failure.json`: why the last attempt ended; another attempt replaces it. */
export interface PointFailure {
  readonly code: string;
  readonly message: string;
  /** False for recipes and data: trying again gives the same answer. */
  readonly isTransient: boolean;
  readonly attempts: number;
}

export type PointState =
  'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted' | 'unknown';

/** What an engine may tell of a point. */
export interface PointStatus {
  readonly state: PointState;
  readonly reason?: string;
  readonly attempts: number;
}

/** Where the points of a sweep run. The sweep's folder alone decides what is done. */
export interface SweepEngine {
  readonly name: 'local' | 'slurm';
  probe(): { readonly available: boolean; readonly reason?: string };
  /** Begins the points and returns at once. */
  submit(folder: string, indices: readonly number[], resources: SweepResources): SweepHandle;
}

export interface SweepResources {
  /** Points that run at once. */
  readonly parallel: number;
  /** Called after every point that ended, with how many have. */
  readonly onProgress?: (done: number) => void;
}

export interface SweepHandle {
  /** Settles when no point is running any more; never rejects because of a point. */
  readonly ended: Promise<void>;
  /** By index, for the points submitted. */
  status(): ReadonlyMap<number, PointStatus>;
  cancel(): void;
}
