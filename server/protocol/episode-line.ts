import {
  isBoolean,
  isCount,
  isNumber,
  isString,
  linesThat,
  literal,
  object,
  optional,
  recordOf,
} from './shape';

/** One line of a run's `episodes.jsonl`: one rollout. Lines of a crashed process may be cut; they are skipped. */
export interface EpisodeLine {
  /** `blind`, `experts`, `merged`, `masked`, `routed`, or the name that an import gave. */
  readonly policy: string;
  /** The task that the scene and the instruction asked for. */
  readonly task: string;
  readonly seed: number;
  readonly success: boolean;
  /** Control steps taken. */
  readonly steps: number;
  readonly seconds?: number;
  /** Why it ended, for people: `cube slipped off`, `time limit`. */
  readonly reason?: string;
  /** What a person wrote about it. */
  readonly note?: string;
  /** The rollout crashed: it is no success, and no failure of the policy either. */
  readonly error?: string;
  /** `experts`: the task whose expert acted, when it was another task's. */
  readonly expert?: string;
  /** The router's choice and its pairing; raw scores by task: `scores` are those of `same`. */
  readonly routed?: string;
  readonly pairing?: 'same' | 'crossed';
  readonly scores?: Readonly<Record<string, number>>;
  readonly crossed?: Readonly<Record<string, number>>;
  readonly softmax?: Readonly<Record<string, number>>;
  /** File of the recording, relative to the run directory. */
  readonly replay?: string;
  readonly suite?: string;
}

const scores = recordOf(isNumber);

export const isEpisodeLine = object<EpisodeLine>({
  policy: isString,
  task: isString,
  seed: isCount,
  success: isBoolean,
  steps: isCount,
  seconds: optional(isNumber),
  reason: optional(isString),
  note: optional(isString),
  error: optional(isString),
  expert: optional(isString),
  routed: optional(isString),
  pairing: optional(literal('same', 'crossed')),
  scores: optional(scores),
  crossed: optional(scores),
  softmax: optional(scores),
  replay: optional(isString),
  suite: optional(isString),
});

/** Lines of `episodes.jsonl` that are whole and fit; a run that was killed ends in half a line. */
export function parseEpisodeLines(text: string): readonly EpisodeLine[] {
  return linesThat(isEpisodeLine, text);
}
