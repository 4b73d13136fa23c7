import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  DiagnosticSeverity,
  DiagnosticTag,
  type Diagnostic,
  type Position,
  type Range,
  type TextEdit,
} from 'vscode-languageserver';
import type { Fix, Problem, Severity, TextRange } from '../protocol/problem';
import type { Position as RecipePosition } from '../recipe/lines';
import type { CodePages } from './code-pages';

/** Core values to protocol values, and back. Columns are UTF-16 units on both sides. */

export function toRange({ start, end }: TextRange): Range {
  return { start: toPosition(start), end: toPosition(end) };
}

export function toPosition({ line, column }: RecipePosition): Position {
  return { line, character: column };
}

export function fromPosition({ line, character }: Position): RecipePosition {
  return { line, column: character };
}

export function toEdits(edits: Fix['edits']): TextEdit[] {
  return edits.map(({ range, newText }) => ({ range: toRange(range), newText }));
}

const severities: Record<Severity, DiagnosticSeverity> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

const tags = { unnecessary: DiagnosticTag.Unnecessary, deprecated: DiagnosticTag.Deprecated };

/** One finding as the editor shows it; `uri` is the recipe's. */
export function toDiagnostic(problem: Problem, uri: string, pages: CodePages): Diagnostic {
  const { code, message, range, severity, related, tag } = problem;
  const page = pages.get(code);
  return {
    range: toRange(range),
    severity: severities[severity],
    code,
    ...(page === undefined ? {} : { codeDescription: { href: page } }),
    source: 'mergevla',
    message,
    ...(tag ? { tags: [tags[tag]] } : {}),
    ...(related
      ? {
          relatedInformation: related.map((place) => ({
            message: place.message,
            location: {
              uri: place.path === '' ? uri : pathToFileURL(place.path).href,
              range: toRange(place.range),
            },
          })),
        }
      : {}),
  };
}

/** The file behind an address; an unsaved document has none. */
export function pathOf(uri: string): string | undefined {
  try {
    return uri.startsWith('file:') ? fileURLToPath(uri) : undefined;
  } catch {
    return undefined;
  }
}

export const uriOf = (path: string): string => pathToFileURL(path).href;

export function contains(range: Range, { line, character }: Position): boolean {
  const { start, end } = range;
  const after = line > start.line || (line === start.line && character >= start.character);
  const before = line < end.line || (line === end.line && character <= end.character);
  return after && before;
}

export function overlaps(a: Range, b: Range): boolean {
  return contains(a, b.start) || contains(b, a.start);
}
