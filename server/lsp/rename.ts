import { ErrorCodes, ResponseError, type Range, type WorkspaceEdit } from 'vscode-languageserver';
import type { Position } from '../recipe/lines';
import { renameTask } from '../recipe/tasks';
import { contains, toEdits, toPosition, toRange } from './convert';
import { taskAt } from './definition';
import type { Analysis } from './documents';

/** The range of a task's name; keys of the language cannot be renamed. */
export function prepareRename(analysis: Analysis, position: Position): Range {
  const here = taskAt(analysis, position).find(({ range }) =>
    contains(toRange(range), toPosition(position)),
  );
  if (!here) throw refused('only the names of tasks can be renamed');
  return toRange(here.range);
}

export function rename(analysis: Analysis, position: Position, newName: string): WorkspaceEdit {
  const [place] = taskAt(analysis, position);
  if (!place) throw refused('only the names of tasks can be renamed');
  const fault = nameFault(newName, place.task, analysis.recipe.tasks);
  if (fault !== undefined) throw refused(fault);
  return {
    changes: { [analysis.uri]: toEdits(renameTask(analysis.recipe, place.task, newName)) },
  };
}

/** Task names become folder names in runs. */
function nameFault(name: string, from: string, tasks: readonly string[]): string | undefined {
  if (name.trim() === '' || name !== name.trim()) return 'a task needs a name without outer spaces';
  if (/[\\/:*?"<>|\p{Cc}]/u.test(name) || /^\.+$/.test(name))
    return `${name} could not be the name of a folder`;
  if (name !== from && tasks.includes(name)) return `there is a task ${name} already`;
  return undefined;
}

const refused = (message: string): ResponseError<void> =>
  new ResponseError(ErrorCodes.InvalidRequest, message);
