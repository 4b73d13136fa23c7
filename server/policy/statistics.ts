import { z } from 'zod';
import type { NormKind } from './config';
import { badObservation, badStatistics } from './errors';

const numbers = z.array(z.number());
const seriesSchema = z.looseObject({
  mean: numbers.optional(),
  std: numbers.optional(),
  min: numbers.optional(),
  max: numbers.optional(),
  q01: numbers.optional(),
  q99: numbers.optional(),
  mask: z.array(z.boolean()).optional(),
});
const fileSchema = z.record(
  z.string(),
  z.looseObject({ action: seriesSchema.optional(), proprio: seriesSchema.optional() }),
);

export type StatisticsFile = z.infer<typeof fileSchema>;
type Series = z.infer<typeof seriesSchema>;

/** What `dataset_statistics.json` holds. Throws MV572 naming the first entry that does not fit. */
export function parseStatistics(json: unknown, path: string): StatisticsFile {
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badStatistics(`${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'bad value'}`);
}

/**
 * The entry for a task: its own name, else with `_no_noops`, else the only one
 * (reference: policy forward §10).
 */
export function statisticsKey(file: StatisticsFile, task: string): string {
  const keys = Object.keys(file);
  const [only] = keys;
  const own = [task, `${task}_no_noops`].find((key) => Object.hasOwn(file, key));
  if (own !== undefined) return own;
  if (keys.length === 1 && only !== undefined) return only;
  throw badStatistics(
    `dataset_statistics.json has no entry ${task} or ${task}_no_noops; it has ${keys.length === 0 ? 'none' : keys.join(', ')}`,
  );
}

/** The affine map of one series, x ↔ normalised x. */
interface Scale {
  /** Value that maps to `low`, and width that maps to `high − low`. */
  readonly start: Float64Array;
  readonly width: Float64Array;
  readonly mask: readonly boolean[];
  readonly kind: NormKind;
}

/** Statistics of one task, ready to use. */
export class Normalizer {
  private constructor(
    private readonly action: Scale,
    private readonly proprio: Scale,
  ) {}

  /** Throws MV572 when a list is missing or has another length than the model's. */
  static make(
    file: StatisticsFile,
    task: string,
    sizes: {
      readonly action: number;
      readonly proprio: number;
      readonly actionNorm: NormKind;
      readonly proprioNorm: NormKind;
    },
  ): Normalizer {
    const key = statisticsKey(file, task);
    const series = (name: 'action' | 'proprio', kind: NormKind, size: number): Scale =>
      makeScale(file[key]?.[name], kind, { size, where: `${key}.${name}` });
    return new Normalizer(
      series('action', sizes.actionNorm, sizes.action),
      series('proprio', sizes.proprioNorm, sizes.proprio),
    );
  }

  get actionSize(): number {
    return this.action.start.length;
  }

  /** Robot state to network input; q99 and min–max are clipped to −1 … 1. Throws MV570 on a wrong length. */
  normalizeProprio(state: ArrayLike<number>): Float64Array {
    const { start, width, mask, kind } = this.proprio;
    if (state.length !== start.length)
      throw badObservation(
        `the robot state has ${state.length} numbers; this policy takes ${start.length}`,
      );
    return start.map((first, i) => {
      const value = state[i] ?? NaN;
      if (!Number.isFinite(value))
        throw badObservation(`number ${i + 1} of the robot state is ${value}`);
      if (mask[i] === false) return value;
      const share = (value - first) / (width[i] ?? 1);
      return kind === 'mean_std' ? share : Math.min(1, Math.max(-1, 2 * share - 1));
    });
  }

  /** One row of network output to the robot's units; masked-out dimensions pass through. */
  restoreAction(row: ArrayLike<number>): Float64Array {
    const { start, width, mask, kind } = this.action;
    return start.map((first, i) => {
      const value = row[i] ?? NaN;
      if (mask[i] === false) return value;
      const share = kind === 'mean_std' ? value : 0.5 * (value + 1);
      return share * (width[i] ?? 1) + first;
    });
  }
}

const ends = {
  q99: ['q01', 'q99'],
  min_max: ['min', 'max'],
  mean_std: ['mean', 'std'],
} as const;

function makeScale(
  series: Series | undefined,
  kind: NormKind,
  want: { readonly size: number; readonly where: string },
): Scale {
  const [first, second] = ends[kind].map((name) => {
    const list = series?.[name];
    if (!list) throw badStatistics(`dataset_statistics.json has no ${want.where}.${name}`);
    if (list.length !== want.size)
      throw badStatistics(
        `dataset_statistics.json: ${want.where}.${name} has ${list.length} numbers; the model has ${want.size}`,
      );
    return Float64Array.from(list);
  });
  const start = first ?? new Float64Array();
  // The small term is the reference's guard against a constant dimension; it is part of the numbers.
  const width = start.map((value, i) => {
    const end = second?.[i] ?? 0;
    return (kind === 'mean_std' ? end : end - value) + 1e-8;
  });
  return {
    start,
    width,
    mask: series?.mask ?? start.reduce<boolean[]>((all) => [...all, true], []),
    kind,
  };
}
