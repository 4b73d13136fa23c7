import type { TextEdit } from './edit';
import type { Entry, Item, Located } from './located';
import { parseRecipe, type RecipeDocument } from './parse';
import { plainValue } from './located';

/**
 * Edits that give a recipe its regular form: two spaces a level, one space after `:` and before `#`, no
 * white space at the end of lines, at most one empty line between keys, `\n` at the end. Comments, quotes, order and flow style
 * stay as they are; formatting twice changes nothing. A text with a syntax error is left alone.
 */
export function formatRecipe(text: string): TextEdit[] {
  const { value: document, problems } = parseRecipe(text);
  if (!document.root || problems.some(({ code }) => code.startsWith('MV1'))) return [];
  const formatted = formatLines(document);
  if (formatted.join('\n') === text || !sameMeaning(document, formatted.join('\n'))) return [];
  return lineEdits(document, formatted);
}

/** The text after edits; they may not overlap. */
export function applyEdits(
  document: Pick<RecipeDocument, 'text' | 'lines'>,
  edits: readonly TextEdit[],
): string {
  const spans = edits
    .map(({ range, newText }, order) => ({
      start: document.lines.offset(range.start),
      end: document.lines.offset(range.end),
      newText,
      order,
    }))
    .sort((a, b) => b.start - a.start || b.order - a.order);
  let { text } = document;
  for (const { start, end, newText } of spans)
    text = text.slice(0, start) + newText + text.slice(end);
  return text;
}

interface LinePlan {
  /** New indentation of lines, by line. */
  readonly indents: Map<number, number>;
  /** Lines inside texts over several lines, which nobody may touch. */
  readonly frozen: Set<number>;
}

function formatLines(document: RecipeDocument): string[] {
  const { lines } = document;
  const plan: LinePlan = { indents: new Map(), frozen: new Set() };
  if (document.root) planBlock(document, document.root, 0, plan);
  const out: string[] = [];
  let shift = 0;
  for (let line = 0; line < lines.count; line++) {
    const written = document.text.slice(lines.startOf(line), lines.endOf(line));
    if (plan.frozen.has(line)) {
      out.push(shifted(written, shift));
      continue;
    }
    const indent = lineIndent(document, line);
    const planned = plan.indents.get(line);
    if (planned !== undefined) shift = planned - indent;
    const next = formatLine(document, line, Math.max(0, indent + shift), plan);
    const second = next === '' && (out.at(-1) ?? '') === '';
    if (!second) out.push(next);
  }
  while (out.at(-1) === '') out.pop();
  return [...out, ''];
}

function formatLine(
  document: RecipeDocument,
  line: number,
  indent: number,
  plan: LinePlan,
): string {
  const body = document.text.slice(document.lines.startOf(line), document.lines.endOf(line)).trim();
  if (body === '') return '';
  const column = body.startsWith('#') ? commentIndent(plan, document, line) : undefined;
  return ' '.repeat(column ?? indent) + spaced(body);
}

function planBlock(document: RecipeDocument, node: Located, indent: number, plan: LinePlan): void {
  if (node.kind === 'scalar' || node.flow) return;
  const own = node.kind === 'map' ? node.entries.filter((entry) => !entry.merged) : node.items;
  for (const item of own) {
    const level = planItem(document, item, indent, plan);
    if (item.alias === undefined) planValue(document, item, level, plan);
  }
}

/** Plans the line an item begins on; gives the column it will have. */
function planItem(
  document: RecipeDocument,
  item: Entry | Item,
  indent: number,
  plan: LinePlan,
): number {
  const start = 'keySpan' in item ? item.keySpan[0] : dashOf(document, item.span[0]);
  const { line, column } = document.lines.position(start);
  const first = document.text.slice(document.lines.startOf(line), start).trim() === '';
  if (!first) return column + (plan.indents.get(line) ?? 0) - lineIndent(document, line);
  if (!plan.indents.has(line)) plan.indents.set(line, indent);
  return indent;
}

function planValue(
  document: RecipeDocument,
  item: Entry | Item,
  indent: number,
  plan: LinePlan,
): void {
  const { value } = item;
  if (value.kind !== 'scalar' && !value.flow) {
    planBlock(document, value, indent + 2, plan);
    return;
  }
  const from = document.lines.position(value.span[0]).line;
  const end = value.span[1] > value.span[0] ? value.span[1] - 1 : value.span[1];
  const to = document.lines.position(end).line;
  for (let line = from + 1; line <= to; line++) plan.frozen.add(line);
}

function dashOf(document: RecipeDocument, offset: number): number {
  const dash = document.text.lastIndexOf('-', offset - 1);
  return dash >= 0 && /^-\s+(?:[&!]\S+\s+)*$/.test(document.text.slice(dash, offset))
    ? dash
    : offset;
}

function lineIndent(document: RecipeDocument, line: number): number {
  const text = document.text.slice(document.lines.startOf(line), document.lines.endOf(line));
  return text.length - text.trimStart().length;
}

/** A comment on its own line moves with the next key, when it stood where that key stands. */
function commentIndent(plan: LinePlan, document: RecipeDocument, line: number): number | undefined {
  const own = lineIndent(document, line);
  for (let next = line + 1; next < document.lines.count; next++) {
    const planned = plan.indents.get(next);
    if (planned === undefined) continue;
    return lineIndent(document, next) === own ? planned : undefined;
  }
  return undefined;
}

/** One space after the colon of a key and before a comment, outside quotes and flow values. */
function spaced(body: string): string {
  if (body.startsWith('#') || /["'|>{}[\]]/.test(body)) return body;
  return body
    .replace(/^((?:- +)*[^\s:#][^:#]*?) *:[ \t]+(?=\S)/, '$1: ')
    .replace(/^- +(?=\S)/, '- ')
    .replace(/[ \t]+#/, ' #');
}

function shifted(text: string, by: number): string {
  if (text.trim() === '') return text;
  if (by >= 0) return ' '.repeat(by) + text;
  const indent = text.length - text.trimStart().length;
  return text.slice(Math.min(indent, -by));
}

/** The last word: whatever the layout, formatting never changes what a recipe says. */
function sameMeaning(document: RecipeDocument, formatted: string): boolean {
  const after = parseRecipe(formatted).value;
  const plain = (node: Located | undefined) => JSON.stringify(node && plainValue(node));
  return plain(document.root) === plain(after.root);
}

/** Edits by line, so that unchanged lines and the cursor in them stay. */
function lineEdits(document: RecipeDocument, formatted: readonly string[]): TextEdit[] {
  const { lines, text } = document;
  const before = Array.from({ length: lines.count }, (_, line) =>
    text.slice(lines.startOf(line), lines.startOf(line + 1)),
  );
  const ending = text.includes('\r\n') ? '\r\n' : '\n';
  const after = formatted.map((line, i) => (i < formatted.length - 1 ? line + ending : line));
  if (before.length === after.length)
    return before.flatMap((line, i) =>
      line === after[i]
        ? []
        : [{ range: lines.range(lines.startOf(i), lines.startOf(i + 1)), newText: after[i] ?? '' }],
    );
  let head = 0;
  while (head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < Math.min(before.length, after.length) - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail++;
  const newText = after.slice(head, after.length - tail).join('');
  const range = lines.range(lines.startOf(head), lines.startOf(before.length - tail));
  return newText === '' && head >= before.length - tail ? [] : [{ range, newText }];
}
