import { TextDocuments, type Connection } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Problem } from '../protocol/problem';
import type { RecipeDocument } from '../recipe/parse';
import { resolveRecipe } from '../recipe/resolve';
import type { Recipe } from '../recipe/schema';
import { checkRecipe } from '../recipe/validate';
import { pathOf } from './convert';

/** One version of an open recipe: its tree and what the text alone tells. */
export interface Analysis {
  readonly uri: string;
  readonly version: number;
  /** Absolute path, or undefined while it was never saved. */
  readonly path: string | undefined;
  readonly recipe: RecipeDocument;
  readonly problems: readonly Problem[];
}

const resolved = new WeakMap<Analysis, Recipe>();

/** The recipe of a text with every default filled in; made once a version. */
export function resolvedRecipe(analysis: Analysis): Recipe {
  const known = resolved.get(analysis) ?? resolveRecipe(analysis.recipe);
  resolved.set(analysis, known);
  return known;
}

/** Open recipes; each version is read once, at the first question about it. */
export interface Documents {
  get(uri: string): Analysis | undefined;
  all(): readonly Analysis[];
  onDidOpenOrChange(listener: (uri: string) => void): void;
  onDidClose(listener: (uri: string) => void): void;
}

export function openDocuments(connection: Connection): Documents {
  const documents = new TextDocuments(TextDocument);
  const read = new Map<string, Analysis>();
  documents.listen(connection);
  const get = (uri: string): Analysis | undefined => {
    const document = documents.get(uri);
    if (!document) return undefined;
    const known = read.get(uri);
    if (known?.version === document.version) return known;
    const analysis = analyse(uri, document.getText(), document.version);
    read.set(uri, analysis);
    return analysis;
  };
  return {
    get,
    all: () => documents.keys().flatMap((uri) => get(uri) ?? []),
    onDidOpenOrChange: (listener) => {
      documents.onDidChangeContent(({ document }) => listener(document.uri));
    },
    onDidClose: (listener) => {
      documents.onDidClose(({ document }) => {
        read.delete(document.uri);
        listener(document.uri);
      });
    },
  };
}

/** Reads one text; never throws, whatever it holds. */
export function analyse(uri: string, text: string, version = 0): Analysis {
  const path = pathOf(uri);
  const name = path ?? 'untitled.mergevla.yaml';
  const { value, problems } = checkRecipe(text, { path: name });
  return { uri, version, path, recipe: value, problems };
}
