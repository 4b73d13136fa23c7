import { CodeActionKind, type CodeAction, type CodeActionParams } from 'vscode-languageserver';
import type { Fix, Problem } from '../protocol/problem';
import type { ServerContext } from './context';
import type { CodePages } from './code-pages';
import { overlaps, toDiagnostic, toEdits, toRange } from './convert';
import { findings } from './diagnostics';

export const fixAllKind = `${CodeActionKind.SourceFixAll}.mergevla`;

/** Fixes of the findings in a range, the first of each preferred, and all of them at once. */
export function codeActions(context: ServerContext, params: CodeActionParams): CodeAction[] {
  const { uri } = params.textDocument;
  const problems = findings(context, uri);
  const only = params.context.only ?? [];
  const wants = (kind: string): boolean =>
    only.length === 0 || only.some((asked) => kind === asked || kind.startsWith(`${asked}.`));
  return [
    ...(wants(CodeActionKind.QuickFix)
      ? problems
          .filter(({ range }) => overlaps(toRange(range), params.range))
          .flatMap((problem) => quickFixes(problem, uri, context.codePages))
      : []),
    ...(wants(fixAllKind) ? fixAll(problems, uri) : []),
  ];
}

function quickFixes(problem: Problem, uri: string, pages: CodePages): CodeAction[] {
  return (problem.fixes ?? []).map((fix, index) => ({
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [toDiagnostic(problem, uri, pages)],
    isPreferred: index === 0,
    edit: { changes: { [uri]: toEdits(fix.edits) } },
  }));
}

/** The preferred fix of every finding; of fixes that touch the same text, the first. */
function fixAll(problems: readonly Problem[], uri: string): CodeAction[] {
  const chosen: Fix[] = [];
  for (const problem of problems) {
    const fix = problem.fixes?.[0];
    if (fix && !chosen.some((other) => collide(fix, other))) chosen.push(fix);
  }
  if (chosen.length === 0) return [];
  return [
    {
      title: 'Fix all MergeVLA problems that can be fixed',
      kind: fixAllKind,
      edit: { changes: { [uri]: toEdits(chosen.flatMap(({ edits }) => edits)) } },
    },
  ];
}

function collide(a: Fix, b: Fix): boolean {
  return a.edits.some((one) =>
    b.edits.some((other) => overlaps(toRange(one.range), toRange(other.range))),
  );
}
