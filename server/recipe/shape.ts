import type { z } from 'zod';
import type { Problem } from '../protocol/problem';
import type { LineIndex } from './lines';
import { find, type Located, plainValue, type RecipePath, type Span } from './located';
import { problem } from './problems';
import { type ParsedRecipe, recipeSchema } from './schema';
import { problemOfIssue } from './shape-issues';

type Issue = z.core.$ZodIssue;

/** Rounds of leaving out what does not fit; each removes at least one value. */
const maxRounds = 50;

/**
 * Holds a value against the schema. Everything that does not fit becomes a problem (MV2xx) and is left
 * out, so that what is returned is of its type.
 */
export function shapeRecipe(root: Located, lines: LineIndex, problems: Problem[]): ParsedRecipe {
  if (root.kind !== 'map') {
    const range = lines.range(...firstLine(root.span, lines));
    problems.push(problem('MV202', range, 'a recipe is a mapping that begins with `version: 1`'));
    return {};
  }
  const value = plainValue(root);
  const told: RecipePath[] = [];
  for (let round = 0; round < maxRounds; round++) {
    const result = recipeSchema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues.map(mostFitting)) {
      const paths = faultyPaths(issue);
      // What is incomplete only because a part of it was left out has been told already.
      if (!paths.some((path) => told.some((other) => startsWith(other, path))))
        problems.push(...problemOfIssue(issue, root, lines));
      told.push(...paths);
      for (const path of paths) remove(value, path);
    }
  }
  return {};
}

/** Of a union, the complaint of the form that the writer most likely meant: the one that fails deepest. */
function mostFitting(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors
    .filter((errors) => errors.some((error) => error.path.length > 0 || !isTypeError(error)))
    .map((errors) => errors[0])
    .filter((error) => error !== undefined);
  const best = branches.sort((a, b) => b.path.length - a.path.length)[0];
  return best ? mostFitting({ ...best, path: [...issue.path, ...best.path] }) : issue;
}

function isTypeError(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function faultyPaths(issue: Issue): RecipePath[] {
  const path = toRecipePath(issue.path);
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

export function toRecipePath(path: readonly PropertyKey[]): RecipePath {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}

/**
 * Takes the value at a path out; an item of a list takes its list along, since indices would shift, and
 * a key that is missing takes its mapping along.
 */
function remove(value: unknown, path: RecipePath): void {
  let holder = value;
  let cut: (() => void) | undefined;
  for (const step of path) {
    if (typeof holder !== 'object' || holder === null) break;
    const map = holder as Record<string | number, unknown>;
    if (!Array.isArray(map) && Object.hasOwn(map, step))
      cut = () => Reflect.deleteProperty(map, step);
    holder = map[step];
  }
  cut?.();
}

function startsWith(path: RecipePath, prefix: RecipePath): boolean {
  return prefix.every((step, index) => path[index] === step);
}

function firstLine([start, end]: Span, lines: LineIndex): Span {
  return [start, Math.min(end, lines.endOf(lines.position(start).line))];
}

/** The span of a value for a message; long blocks are marked by their key. */
export function spanAt(root: Located, path: RecipePath): Span {
  const found = find(root, path);
  if (!found)
    return path.length > 0 ? spanAt(root, path.slice(0, -1)) : [root.span[0], root.span[0]];
  const { value } = found;
  const block = value.kind !== 'scalar' && !value.flow;
  if ('keySpan' in found && (block || found.span[0] === found.span[1])) return found.keySpan;
  return found.span;
}
