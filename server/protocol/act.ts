import { arrayOf, isNumber, isString, object, optional, recordOf } from './shape';

/** What `mergevla act --json` prints. */
export interface ActAnswer {
  /** The expert that acted: named, the only one, or the router's choice. */
  readonly chosen: string;
  readonly device: string;
  readonly seconds: number;
  /** The chunk in the robot's units: one row a control step, one column an action dimension. */
  readonly actions: readonly (readonly number[])[];
  /** The same before the statistics of the task were undone. */
  readonly normalized: readonly (readonly number[])[];
  /** The router's scores and probabilities; absent when nothing was routed. */
  readonly scores?: Readonly<Record<string, number>>;
  readonly softmax?: Readonly<Record<string, number>>;
}

export const isActAnswer = object<ActAnswer>({
  chosen: isString,
  device: isString,
  seconds: isNumber,
  actions: arrayOf(arrayOf(isNumber)),
  normalized: arrayOf(arrayOf(isNumber)),
  scores: optional(recordOf(isNumber)),
  softmax: optional(recordOf(isNumber)),
});
