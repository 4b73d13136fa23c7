import {
  SemanticTokensBuilder,
  type Range,
  type SemanticTokens,
  type SemanticTokensLegend,
} from 'vscode-languageserver';
import { describeKey } from '../recipe/describe';
import type { Entry, Item, Located, RecipePath, Span } from '../recipe/located';
import { isMethodName, isParameterName } from '../recipe/methods';
import type { RecipeDocument } from '../recipe/parse';
import { taskReferences } from '../recipe/tasks';
import { contains } from './convert';
import { globPaths } from './glob-paths';

/** Standard types only, so that every theme has colours for them. */
export const legend: SemanticTokensLegend = {
  tokenTypes: ['class', 'function', 'regexp', 'parameter', 'enumMember', 'string'],
  tokenModifiers: ['declaration'],
};

type TokenType = 'class' | 'function' | 'regexp' | 'parameter' | 'enumMember' | 'string';

interface Token {
  readonly span: Span;
  readonly type: TokenType;
  readonly declaration?: boolean;
}

/** Tasks, methods, globs, parameters, choices and paths; keys keep the colour of the grammar. */
export function semanticTokens(document: RecipeDocument, range?: Range): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const tokens = [...taskTokens(document), ...valueTokens(document)].sort(
    (a, b) => a.span[0] - b.span[0],
  );
  let last = -1;
  for (const { span, type, declaration } of tokens) {
    const start = document.lines.position(span[0]);
    const isOneLine = document.lines.position(span[1]).line === start.line;
    const position = { line: start.line, character: start.column };
    // Tokens may not overlap or span lines, and only those asked for are sent.
    if (span[0] <= last || !isOneLine || (range && !contains(range, position))) continue;
    last = span[0];
    const kind = legend.tokenTypes.indexOf(type);
    builder.push(start.line, start.column, span[1] - span[0], kind, declaration ? 1 : 0);
  }
  return builder.build();
}

function taskTokens(document: RecipeDocument): Token[] {
  return taskReferences(document).map(({ range, declaration }) => ({
    span: [document.lines.offset(range.start), document.lines.offset(range.end)],
    type: 'class',
    declaration,
  }));
}

function valueTokens(document: RecipeDocument): Token[] {
  const tokens: Token[] = [];
  const globs = globPaths(document);
  const visit = (node: Located, path: RecipePath): void => {
    for (const { item, step } of ownItems(node)) {
      const own = [...path, step];
      if ('key' in item && path.join('.') === 'merge' && isParameterName(item.key))
        tokens.push({ span: item.keySpan, type: 'parameter' });
      const type = scalarType(own, item.value, globs);
      if (type) tokens.push({ span: item.span, type });
      visit(item.value, own);
    }
  };
  if (document.root) visit(document.root, []);
  return tokens;
}

/** What a mapping or list itself holds, not what it takes from an anchor. */
function ownItems(node: Located): { item: Entry | Item; step: string | number }[] {
  if (node.kind === 'scalar') return [];
  const items: readonly (Entry | Item)[] = node.kind === 'map' ? node.entries : node.items;
  return items.flatMap((item, index) => {
    if (item.alias !== undefined || ('merged' in item && item.merged)) return [];
    return [{ item, step: 'key' in item ? item.key : index }];
  });
}

function scalarType(
  path: RecipePath,
  value: Located,
  globs: ReadonlySet<string>,
): TokenType | undefined {
  if (value.kind !== 'scalar' || typeof value.value !== 'string') return undefined;
  const text = value.value;
  const at = path.join('.');
  if (at === 'merge.method' && isMethodName(text)) return 'function';
  if (globs.has(at)) return 'regexp';
  const key = describeKey(path);
  if (key?.choices.includes(text)) return 'enumMember';
  if (key?.names === 'path') return 'string';
  return undefined;
}
