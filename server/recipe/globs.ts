/**
 * Globs over tensor names. `*` and `**` match any run of characters, dots included (names have no
 * folders), `?` one character, `[ab]`, `[a-z]`, `[!a]` one of a class, `{a,b}` alternatives that may nest.
 */

/** Alternatives a pattern may expand to; real recipes have a handful. */
const maxAlternatives = 256;
const maxLength = 1000;

/** What is wrong with a pattern, or nothing. */
export function globFault(pattern: string): string | undefined {
  if (pattern === '') return 'it is empty';
  if (pattern.length > maxLength) return `it is longer than ${String(maxLength)} characters`;
  if (!balanced(pattern, '{', '}')) return 'its braces are not closed';
  if (pattern.includes('[') && !/\[!?[^\]]+\]/.test(pattern)) return 'its bracket is not closed';
  if (expandBraces(pattern) === undefined)
    return `its braces expand to more than ${String(maxAlternatives)} patterns`;
  return undefined;
}

/**
 * The same names by patterns that each keep the limits: a list of alternatives too long for one pattern is
 * halved. What keeps them, and what halving cannot help, comes back as it is.
 */
export function splitGlob(pattern: string): readonly string[] {
  const group = innermostGroup(pattern);
  if (globFault(pattern) === undefined || !group || group.options.length < 2) return [pattern];
  const half = Math.ceil(group.options.length / 2);
  return [group.options.slice(0, half), group.options.slice(half)].flatMap((options) => {
    const part = options.length > 1 ? `{${options.join(',')}}` : options.join('');
    return splitGlob(pattern.slice(0, group.start) + part + pattern.slice(group.end + 1));
  });
}

/** Whether a tensor name matches a glob; a faulty glob matches nothing. */
export function matchesGlob(pattern: string, name: string): boolean {
  return compileGlob(pattern)(name);
}

/** A glob made ready for many names. Matching is linear in pattern times name, never exponential. */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (globFault(pattern) !== undefined) return () => false;
  const alternatives = (expandBraces(pattern) ?? []).map(tokens);
  return (name) => alternatives.some((parts) => matchesTokens(parts, name));
}

/** Any of several globs; an empty list matches nothing. */
export function compileGlobs(patterns: readonly string[]): (name: string) => boolean {
  const compiled = patterns.map(compileGlob);
  return (name) => compiled.some((matches) => matches(name));
}

/**
 * Components of the paper's study (reference table 5): A vision backbone, B projector, C language
 * model body, D language model head.
 */
export const componentGroups: Readonly<Record<string, readonly string[]>> = {
  A: ['vision'],
  B: ['projector'],
  C: ['lm.embed', 'lm.block', 'lm.norm'],
  D: ['lm.head'],
  vision_backbone: ['vision'],
  language_model: ['lm.embed', 'lm.block', 'lm.norm'],
  lm_head: ['lm.head'],
  action_expert: ['expert', 'state_proj', 'action_in', 'action_out', 'time_mlp'],
};

/** Whether a component is selected: by its name, by a prefix (`vision` selects `vision.dino`) or by a group. */
export function matchesComponent(selector: string, component: string): boolean {
  return (componentGroups[selector] ?? [selector]).some(
    (name) => component === name || component.startsWith(`${name}.`),
  );
}

type Token =
  '*' | '?' | { readonly text: string } | { readonly set: string; readonly not: boolean };

function balanced(pattern: string, open: string, close: string): boolean {
  let depth = 0;
  for (const c of pattern) {
    if (c === open) depth++;
    else if (c === close && --depth < 0) return false;
  }
  return depth === 0;
}

/** All patterns without braces, or nothing when they are too many. */
function expandBraces(pattern: string): string[] | undefined {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0) {
    const next = open.pop() ?? '';
    const group = innermostGroup(next);
    if (group) {
      const before = next.slice(0, group.start);
      const after = next.slice(group.end + 1);
      open.push(...group.options.map((option) => before + option + after));
    } else done.push(next);
    if (open.length + done.length > maxAlternatives) return undefined;
  }
  return done;
}

function innermostGroup(pattern: string) {
  const end = pattern.indexOf('}');
  if (end < 0) return undefined;
  const start = pattern.lastIndexOf('{', end);
  if (start < 0) return undefined;
  return { start, end, options: pattern.slice(start + 1, end).split(',') };
}

function tokens(pattern: string): Token[] {
  const parts: Token[] = [];
  for (const [part] of pattern.matchAll(/\*+|\?|\[!?[^\]]+\]|[\s\S]/g)) {
    if (part.startsWith('*')) parts.push('*');
    else if (part === '?') parts.push('?');
    else if (part.length > 1) parts.push(characterSet(part));
    else parts.push({ text: part });
  }
  return parts;
}

function characterSet(part: string): Token {
  const not = part.startsWith('[!');
  const body = part.slice(not ? 2 : 1, -1);
  const set = body.replace(/(.)-(.)/g, (_, from: string, to: string) => {
    const codes = [];
    for (let c = from.charCodeAt(0); c <= to.charCodeAt(0); c++) codes.push(c);
    return String.fromCharCode(...codes);
  });
  return { set, not };
}

/** Backtracks only to the last star, which is enough for one-character tokens. */
function matchesTokens(parts: readonly Token[], name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let mark = 0;
  while (n < name.length) {
    const part = parts[p];
    if (part === '*') {
      star = p++;
      mark = n;
    } else if (part !== undefined && matchesCharacter(part, name.charAt(n))) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++mark;
    } else return false;
  }
  while (parts[p] === '*') p++;
  return p === parts.length;
}

function matchesCharacter(part: Exclude<Token, '*'>, character: string): boolean {
  if (part === '?') return true;
  if ('text' in part) return part.text === character;
  return part.set.includes(character) !== part.not;
}
