import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  parseDocument,
  type Pair,
  type YAMLMap,
  type YAMLParseError,
  type YAMLSeq,
} from 'yaml';
import type { Problem } from '../protocol/problem';
import type { LineIndex } from './lines';
import type { Entry, Item, Located, LocatedMap, LocatedScalar, Span } from './located';
import { problem, type ProblemCode } from './problems';

const maxCharacters = 4_000_000;
/** Values that aliases may add to those written. A real recipe repeats a few dozen. */
const maxExpanded = 50_000;
const maxSyntaxProblems = 100;

/** Reads YAML into a tree of values that know their place. Never throws; undefined when nothing is there. */
export function locate(text: string, lines: LineIndex, problems: Problem[]): Located | undefined {
  const whole = (code: ProblemCode, message: string) => {
    problems.push(problem(code, lines.range(0, Math.min(text.length, lines.endOf(0))), message));
    return undefined;
  };
  if (text.length > maxCharacters)
    return whole('MV108', `the recipe has ${String(text.length)} characters, more than 4,000,000`);
  reportDirtyText(text, lines, problems);
  const contents = compose(text, lines, problems);
  if (contents === 'too deep') return whole('MV101', 'the recipe is nested too deeply');
  if (contents === null || (isScalar(contents) && contents.value === null && !contents.source))
    return problems.some((item) => item.severity === 'error')
      ? undefined
      : whole('MV109', 'the recipe is empty');
  return new Locator(lines, problems).node(contents);
}

function compose(text: string, lines: LineIndex, problems: Problem[]) {
  try {
    const document = parseDocument(text, {
      uniqueKeys: false,
      prettyErrors: false,
      // Below this level the parser does not tell of a second document.
      logLevel: 'error',
    });
    for (const error of document.errors.slice(0, maxSyntaxProblems))
      problems.push(syntaxProblem(error, text, lines));
    return document.contents;
  } catch (error) {
    // The parser recurses, so brackets nested by the thousand end its stack.
    if (error instanceof RangeError) return 'too deep';
    throw error;
  }
}

function syntaxProblem(error: YAMLParseError, text: string, lines: LineIndex): Problem {
  const [start, end] = error.pos;
  const line = lines.position(start).line;
  const range = lines.range(start, Math.max(start, Math.min(end, lines.endOf(line))));
  if (error.code === 'MULTIPLE_DOCS')
    return problem('MV103', range, 'a file holds one recipe; this second document is not read');
  if (error.code === 'TAB_AS_INDENT')
    return problem('MV104', range, 'recipes are indented by spaces, not by tabs', {
      fixes: tabFix(text, lines),
    });
  return problem('MV101', range, sentence(error.message));
}

function tabFix(text: string, lines: LineIndex) {
  const edits = [...text.matchAll(/^[ ]*\t[ \t]*/gm)].map((match) => ({
    range: lines.range(match.index, match.index + match[0].length),
    newText: match[0].replaceAll('\t', '  '),
  }));
  return [{ title: 'Replace tabs by spaces', edits }];
}

function sentence(message: string): string {
  const text = message.replace(/\s+/g, ' ').replace(/[.:]\s*$/, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function reportDirtyText(text: string, lines: LineIndex, problems: Problem[]): void {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const dirt = /[\uFFFD\u0000-\u0008\u000B\u000C\u000E-\u001F]/.exec(text);
  if (!dirt) return;
  const message =
    dirt[0] === '\uFFFD'
      ? 'the file is not valid UTF-8 here'
      : `the file holds the control character U+${hex(dirt[0])}`;
  problems.push(problem('MV107', lines.range(dirt.index, dirt.index + 1), message));
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
}

type Position = ParsedNode | null;

/** Turns the nodes of one document into located values: follows aliases and merge keys, counts what they add. */
class Locator {
  readonly #anchors = new Map<string, Located | 'open'>();
  readonly #sizes = new Map<Located, number>();
  #expanded = 0;
  #refused = false;

  constructor(
    private readonly lines: LineIndex,
    private readonly problems: Problem[],
  ) {}

  node(node: ParsedNode): Located {
    const anchor = isAlias(node) ? undefined : node.anchor;
    if (anchor) this.#anchors.set(anchor, 'open');
    const located = this.#convert(node);
    if (anchor) this.#anchors.set(anchor, located);
    return located;
  }

  #convert(node: ParsedNode): Located {
    if (isMap(node)) return this.#map(node);
    if (isSeq(node)) return this.#list(node);
    const span: Span = [node.range[0], node.range[1]];
    if (isAlias(node)) return this.#alias(node, span);
    return this.#sized({ kind: 'scalar', span, ...scalarValue(node.value, node.source) }, 1);
  }

  #map(node: YAMLMap.Parsed): Located {
    const own: Entry[] = [];
    const merges: LocatedMap[] = [];
    for (const pair of node.items) {
      const entry = this.#entry(pair, node.range[1]);
      if (!entry) continue;
      const isMerge = entry.key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN';
      if (isMerge) merges.push(...this.#mergeSources(entry));
      else this.#addUnique(own, entry);
    }
    const entries = [...own, ...inheritedEntries(own, merges)];
    const flow = node.flow === true;
    const last = own.at(-1);
    const end = flow ? node.range[1] : Math.max(node.range[0], last?.span[1] ?? 0);
    const span: Span = [node.range[0], end];
    return this.#sized({ kind: 'map', span, flow, entries }, 1 + this.#total(entries));
  }

  #addUnique(own: Entry[], entry: Entry): void {
    const first = own.find((other) => other.key === entry.key);
    own.push(entry);
    if (!first) return;
    const range = this.lines.range(...entry.keySpan);
    this.problems.push(
      problem('MV102', range, `\`${entry.key}\` is given twice; the first one counts`, {
        related: [
          { message: 'first given here', path: '', range: this.lines.range(...first.keySpan) },
        ],
      }),
    );
  }

  #entry(pair: Pair<ParsedNode | null, ParsedNode | null>, end: number): Entry | undefined {
    const key = this.#key(pair.key);
    if (!key) return undefined;
    const item = this.#item(pair.value, Math.min(key.keySpan[1], end));
    // Spelled out, since spreading costs more than all else here.
    const { value, span } = item;
    const entry = { key: key.key, keySpan: key.keySpan, value, span, merged: false };
    return item.alias === undefined ? entry : { ...entry, alias: item.alias };
  }

  #key(node: Position): Pick<Entry, 'key' | 'keySpan'> | undefined {
    const span: Span = node ? [node.range[0], node.range[1]] : [0, 0];
    if (isScalar(node) && node.value !== null && node.value !== '')
      return { key: node.source || JSON.stringify(node.value), keySpan: span };
    const range = this.lines.range(...span);
    if (node) this.problems.push(problem('MV208', range, 'a key has to be plain text'));
    return undefined;
  }

  #item(node: Position, fallback: number): Item {
    if (!node) {
      const span: Span = [fallback, fallback];
      return { value: { kind: 'scalar', span, value: null, empty: true }, span };
    }
    const value = this.node(node);
    if (!isAlias(node)) return { value, span: value.span };
    return { value, span: [node.range[0], node.range[1]], alias: node.source };
  }

  #list(node: YAMLSeq.Parsed): Located {
    const items = (node.items as (ParsedNode | null)[]).map((item) =>
      this.#item(item, node.range[0]),
    );
    const flow = node.flow === true;
    const end = flow ? node.range[1] : Math.max(node.range[0], items.at(-1)?.span[1] ?? 0);
    return this.#sized(
      { kind: 'list', span: [node.range[0], end], flow, items },
      1 + this.#total(items),
    );
  }

  #alias(node: Alias.Parsed, span: Span): Located {
    const target = this.#anchors.get(node.source);
    const nothing: LocatedScalar = { kind: 'scalar', span, value: null, empty: true };
    if (target === undefined) {
      const message = `there is no anchor \`&${node.source}\` before this alias`;
      this.problems.push(problem('MV105', this.lines.range(...span), message));
      return nothing;
    }
    if (target === 'open') {
      const message = `the alias \`*${node.source}\` contains itself`;
      this.problems.push(problem('MV106', this.lines.range(...span), message));
      return nothing;
    }
    this.#expanded += this.#sizes.get(target) ?? 1;
    if (this.#expanded <= maxExpanded) return target;
    if (!this.#refused)
      this.problems.push(
        problem(
          'MV106',
          this.lines.range(...span),
          'the aliases expand to more than 50,000 values; from here on they are not followed',
        ),
      );
    this.#refused = true;
    return nothing;
  }

  #mergeSources(entry: Entry): LocatedMap[] {
    const { value } = entry;
    const sources = value.kind === 'list' ? value.items.map((item) => item.value) : [value];
    const maps = sources.filter((source) => source.kind === 'map');
    if (maps.length < sources.length)
      this.problems.push(
        problem(
          'MV110',
          this.lines.range(...entry.span),
          'the value of `<<` has to be a mapping or a list of mappings',
        ),
      );
    return maps;
  }

  #sized(located: Located, size: number): Located {
    this.#sizes.set(located, size);
    return located;
  }

  #total(items: readonly Item[]): number {
    return items.reduce((sum, item) => sum + (this.#sizes.get(item.value) ?? 1), 0);
  }
}

/** What merge keys bring; own entries and earlier sources win. */
function inheritedEntries(own: readonly Entry[], sources: readonly LocatedMap[]): Entry[] {
  const names = new Set(own.map((entry) => entry.key));
  return sources
    .flatMap((source) => source.entries)
    .filter(({ key }) => !names.has(key) && names.add(key))
    .map((entry) => ({ ...entry, merged: true }));
}

function scalarValue(value: unknown, source: string | undefined) {
  const empty = value === null && !source;
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  )
    return { value, empty };
  return { value: source ?? '', empty };
}
