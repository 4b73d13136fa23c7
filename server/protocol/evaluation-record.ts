import { arrayOf, isCount, isRecord, isString, literal, object, recordOf } from './shape';

/** What every episode of `episodes.jsonl` was played under; episodes under others cannot stand beside them. */
export interface EvaluationSettings {
  readonly suite: string;
  readonly shift: 'none' | 'colours';
  /** Played on seeds for tuning; absent: on those that tables are made from. */
  readonly range?: 'validation';
  /** Null: all actions of a chunk. */
  readonly execute: number | null;
  /** Null: the suite's own. */
  readonly max_steps: number | null;
  readonly routing: 'episode' | 'suite';
  readonly command: string | readonly string[] | null;
  /** Router scores were divided by stored means, which is an addition of ours. */
  readonly offset?: 'stored';
}

/** Settings and, for readers, how much was asked for and what counts as success. */
export interface EvaluationRecord {
  readonly version: 1;
  readonly settings: EvaluationSettings;
  readonly tasks: readonly string[];
  readonly policies: readonly string[];
  readonly episodes: number;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly simulator: string;
  readonly criteria: Readonly<Record<string, string>>;
}

/** What readers need of a record; settings of later versions may have more. */
const isShape = object<Omit<EvaluationRecord, 'settings' | 'seeds' | 'criteria'>>({
  version: literal(1),
  tasks: arrayOf(isString),
  policies: arrayOf(isString),
  episodes: isCount,
  simulator: isString,
});
const isSeeds = object<EvaluationRecord['seeds']>({ first: isCount, last: isCount });

/** The record in a text; undefined where it is cut or foreign. */
export function parseEvaluation(text: string): EvaluationRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || !isShape(value)) return undefined;
    const { settings, seeds, criteria } = value as Readonly<Record<string, unknown>>;
    const whole =
      isRecord(settings) &&
      isString(settings['suite']) &&
      isSeeds(seeds) &&
      recordOf(isString)(criteria);
    return whole ? (value as unknown as EvaluationRecord) : undefined;
  } catch {
    return undefined;
  }
}
