import type { DocumentHighlight, Location } from 'vscode-languageserver';
import type { Position } from '../recipe/lines';
import { taskReferences, type TaskReference } from '../recipe/tasks';
import { contains, toPosition, toRange } from './convert';
import type { Analysis } from './documents';

/** The task named at a position, with every place that names it. */
export function taskAt({ recipe }: Analysis, position: Position): readonly TaskReference[] {
  const references = taskReferences(recipe);
  const here = references.find(({ range }) => contains(toRange(range), toPosition(position)));
  return here ? references.filter(({ task }) => task === here.task) : [];
}

/** From the use of a task to its declaration; from an alias to its anchor. */
export function definition(analysis: Analysis, position: Position): Location | null {
  const declared = taskAt(analysis, position).find(({ declaration }) => declaration);
  if (declared) return { uri: analysis.uri, range: toRange(declared.range) };
  return anchorOf(analysis, position);
}

export function references(
  analysis: Analysis,
  position: Position,
  withDeclaration: boolean,
): Location[] {
  return taskAt(analysis, position)
    .filter(({ declaration }) => withDeclaration || !declaration)
    .map(({ range }) => ({ uri: analysis.uri, range: toRange(range) }));
}

export function highlights(analysis: Analysis, position: Position): DocumentHighlight[] {
  return taskAt(analysis, position).map(({ range }) => ({ range: toRange(range) }));
}

/** YAML takes the last anchor of that name before the alias. */
function anchorOf({ uri, recipe }: Analysis, position: Position): Location | null {
  const { text, lines } = recipe;
  const offset = lines.offset(position);
  const line = text.slice(lines.startOf(position.line), lines.endOf(position.line));
  const alias = [...line.matchAll(/\*([^\s,[\]{}]+)/g)].find((match) => {
    const start = lines.startOf(position.line) + match.index;
    return start <= offset && offset <= start + match[0].length;
  });
  if (alias?.[1] === undefined) return null;
  const start = lines.startOf(position.line) + alias.index;
  const anchor = `&${alias[1]}`;
  const found = [...text.slice(0, start).matchAll(/&[^\s,[\]{}]+/g)].findLast(
    (match) => match[0] === anchor,
  );
  if (!found) return null;
  return { uri, range: toRange(lines.range(found.index, found.index + anchor.length)) };
}
