import type { Problem, Severity, TextRange } from '../protocol/problem';
import { checkpointProblems } from './problems-checkpoints';
import { editorProblems } from './problems-editor';
import { evaluateProblems } from './problems-evaluate';
import { fileProblems } from './problems-files';
import { meaningProblems } from './problems-meaning';
import { policyProblems } from './problems-policy';
import { runProblems } from './problems-runs';
import { syntaxProblems } from './problems-syntax';

/** What the reference page says of a code. */
export interface ProblemInfo {
  readonly title: string;
  readonly severity: Severity;
  /** One or two sentences: why it matters and what to do. */
  readonly explanation: string;
  /** A recipe fragment, command or situation that gives it. */
  readonly example: string;
}

/**
 * The one table of codes. `MV1xx` syntax, `MV2xx` schema, `MV3xx` meaning, `MV4xx` files and tensors,
 * `MV5xx` failures of runs, jobs, devices, policies and evaluations.
 */
export const problemTable = {
  ...syntaxProblems,
  ...meaningProblems,
  ...fileProblems,
  ...checkpointProblems,
  ...evaluateProblems,
  ...policyProblems,
  ...runProblems,
  ...editorProblems,
} as const;

export type ProblemCode = keyof typeof problemTable;

/** `path: ''` in a related place means the recipe itself. */
export type ProblemDetails = Partial<Pick<Problem, 'severity' | 'related' | 'fixes' | 'tag'>>;

/** A finding with the severity of its code, unless `details` says another. */
export function problem(
  code: ProblemCode,
  range: TextRange,
  message: string,
  details: ProblemDetails = {},
): Problem {
  const text = oneLine(message.replaceAll(/`([^`]{100})[^`]+`/g, '`$1…`'));
  return { code, severity: problemTable[code].severity, message: text, range, ...details };
}

/** Without line breaks and other control characters, which recipes and checkpoints may hold in names. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]\s*/g, ' ').replaceAll(/\p{Cc}/gu, '\uFFFD');
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemTable, code);
}

/** True when a merge must not start. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((item) => item.severity === 'error');
}

/** `path:line:column: severity: text [code]`, counted from one, as the problem matcher reads it. */
export function formatProblem(item: Problem, path: string): string {
  const { line, column } = item.range.start;
  const place = `${path}:${String(line + 1)}:${String(column + 1)}`;
  return `${place}: ${item.severity}: ${oneLine(item.message)} [${item.code}]`;
}
