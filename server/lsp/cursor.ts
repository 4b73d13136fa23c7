import { enclosingPath } from '../recipe/locate';
import type { Position } from '../recipe/lines';
import type { RecipePath } from '../recipe/located';
import type { RecipeDocument } from '../recipe/parse';

/** What may be written at a position, told from the text alone, so that half a line is enough. */
export interface Cursor {
  readonly kind: 'key' | 'value';
  /** `key`: the mapping the key would join. `value`: the key or list item the value belongs to. */
  readonly path: RecipePath;
  /** What is written of the word so far, without an opening quote. */
  readonly word: string;
  /** Column where the word begins, behind an opening quote. */
  readonly column: number;
  readonly quote: '"' | "'" | undefined;
  /** Inside `{}` or `[]`. */
  readonly flow: boolean;
  /** Column of the first text of the line. */
  readonly indent: number;
}

/** Undefined in comments, where nothing is completed. */
export function cursorAt(document: RecipeDocument, position: Position): Cursor | undefined {
  const start = document.lines.startOf(position.line);
  const before = document.text.slice(start, start + position.column);
  const scanner = new LineScanner(before);
  if (scanner.comment) return undefined;
  const parent: RecipePath = enclosingPath(document, position);
  const level = scanner.levels.at(-1);
  const column = level?.from ?? 0;
  return segmentCursor({
    segment: before.slice(column),
    column,
    path: [...parent, ...(level?.path ?? [])],
    flow: level?.kind,
    indent: before.length - before.trimStart().length,
  });
}

/** One bracket that is open where the cursor is. */
interface Level {
  readonly kind: 'map' | 'list';
  /** Keys and indices opened on this line. */
  readonly path: RecipePath;
  /** Where the entry begins that is being written. */
  from: number;
  index: number;
}

/** Follows brackets, quotes and comments of one line up to the cursor. */
class LineScanner {
  readonly levels: Level[] = [];
  comment = false;
  #quote = '';

  constructor(private readonly before: string) {
    for (let at = 0; at < before.length && !this.comment; at += 1) this.#step(at);
  }

  #step(at: number): void {
    const character = this.before.charAt(at);
    if (this.#quote !== '') {
      if (character === this.#quote) this.#quote = '';
    } else if (character === '"' || character === "'") {
      // An apostrophe within a word opens nothing.
      if (at === 0 || /[\s[{,:]/.test(this.before.charAt(at - 1))) this.#quote = character;
    } else if (character === '#') this.comment = at === 0 || /\s/.test(this.before.charAt(at - 1));
    else this.#bracket(character, at);
  }

  #bracket(character: string, at: number): void {
    const level = this.levels.at(-1);
    if (character === '{' || character === '[') this.#open(character === '{' ? 'map' : 'list', at);
    else if (character === '}' || character === ']') this.levels.pop();
    else if (character === ',' && level) {
      level.from = at + 1;
      level.index += 1;
    }
  }

  #open(kind: Level['kind'], at: number): void {
    const level = this.levels.at(-1);
    const key = keyOf(this.before.slice(level?.from ?? 0, at));
    const index: RecipePath = level?.kind === 'list' ? [level.index] : [];
    const path = [...(level?.path ?? []), ...(key === undefined ? index : [key.name])];
    this.levels.push({ kind, path, from: at + 1, index: 0 });
  }
}

/** The key of `key: …`, and where its value may begin; undefined where no colon is. */
function keyOf(text: string): { readonly name: string; readonly end: number } | undefined {
  const match = /^\s*(?:-\s+)*(?:"([^"]*)"|'([^']*)'|([^\s:"'][^:]*?))\s*:(?=\s|$)/.exec(text);
  const name = match?.[1] ?? match?.[2] ?? match?.[3];
  return match && name !== undefined ? { name, end: match[0].length } : undefined;
}

function segmentCursor(given: {
  readonly segment: string;
  readonly column: number;
  readonly path: RecipePath;
  readonly flow: 'map' | 'list' | undefined;
  readonly indent: number;
}): Cursor {
  const { segment, column, path, flow, indent } = given;
  const key = keyOf(segment);
  const dashes = /^\s*(?:-\s+)+/.exec(segment)?.[0].length;
  const { word, quote } = unquoted(segment.slice(key?.end ?? dashes ?? 0).trimStart());
  const isItem = flow === 'list' || (flow === undefined && dashes !== undefined);
  const own: RecipePath = key ? [key.name] : isItem ? [0] : [];
  return {
    kind: own.length > 0 ? 'value' : 'key',
    path: [...path, ...own],
    word,
    column: column + segment.length - word.length,
    quote,
    flow: flow !== undefined,
    indent,
  };
}

function unquoted(text: string): Pick<Cursor, 'word' | 'quote'> {
  const first = text.charAt(0);
  return first === '"' || first === "'"
    ? { word: text.slice(1), quote: first }
    : { word: text, quote: undefined };
}
