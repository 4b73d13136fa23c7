import { DocumentDiagnosticReportKind, type DocumentDiagnosticReport } from 'vscode-languageserver';
import type { Problem } from '../protocol/problem';
import { inOrder } from '../recipe/validate';
import type { ServerContext } from './context';
import { toDiagnostic } from './convert';

/**
 * Pull diagnostics: what the text tells, and what is known of its files by now. Findings of files that
 * are still being read arrive by a refresh, so typing never waits for a disk.
 */
export function diagnostics(context: ServerContext, uri: string): DocumentDiagnosticReport {
  const { codePages } = context;
  const items = findings(context, uri).map((problem) => toDiagnostic(problem, uri, codePages));
  return { kind: DocumentDiagnosticReportKind.Full, items };
}

/** All findings of an open recipe in the order of its text. */
export function findings(context: ServerContext, uri: string): Problem[] {
  const analysis = context.documents.get(uri);
  if (!analysis) return [];
  return inOrder([...analysis.problems, ...context.files.problems(analysis)]);
}
