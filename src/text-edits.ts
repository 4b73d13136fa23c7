import { Range, WorkspaceEdit, type Uri } from 'vscode';
import type { Fix } from '../server/protocol/problem';

/** Edits of the server as one step of the editor's, so that they are undone together. */
export function asWorkspaceEdit(uri: Uri, edits: Fix['edits']): WorkspaceEdit {
  const edit = new WorkspaceEdit();
  for (const { range, newText } of edits) {
    const { start, end } = range;
    edit.replace(uri, new Range(start.line, start.column, end.line, end.column), newText);
  }
  return edit;
}
