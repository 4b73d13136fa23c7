import type { MergeError } from '../protocol/merge-error';
import type { Severity } from '../protocol/problem';

/** A finding about a recipe's files. `recipePath` says which key it belongs to. */
export interface InputFinding {
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without a trailing period that names the file or tensor. */
  readonly message: string;
  readonly recipePath: readonly (string | number)[];
}

/** A failure to open a file, told as a finding of the key that names it. */
export function findingOf(
  error: MergeError,
  recipePath: readonly (string | number)[],
): InputFinding {
  return { code: error.code, severity: 'error', message: error.message, recipePath };
}
