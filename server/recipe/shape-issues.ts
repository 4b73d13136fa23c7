import type { z } from 'zod';
import type { Fix, Problem } from '../protocol/problem';
import { alternatives, childKeys, describeKey, schemasAt, typeInWords } from './describe';
import type { LineIndex } from './lines';
import { find, type Located, type RecipePath } from './located';
import { problem } from './problems';
import { spanAt, toRecipePath } from './shape';
import { didYouMean, nearest } from './suggest';

type Issue = z.core.$ZodIssue;

/** Says in a sentence what the schema complains of, at the key or value concerned, with a fix where one exists. */
export function problemOfIssue(issue: Issue, root: Located, lines: LineIndex): Problem[] {
  const path = toRecipePath(issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((name) => unknownKey(root, [...path, name], lines));
  return [wrongValue(issue, root, path, lines)];
}

function unknownKey(root: Located, path: RecipePath, lines: LineIndex): Problem {
  const name = String(path.at(-1));
  const parent = path.slice(0, -1);
  const entry = find(root, path);
  const span = entry && 'keySpan' in entry ? entry.keySpan : spanAt(root, path);
  const range = lines.range(...span);
  const names = childKeys(parent).map((child) => child.key);
  const suggestion = nearest(name, names);
  const place = parent.length > 0 ? `\`${parent.join('.')}\` has no key` : 'a recipe has no key';
  const fixes = suggestion === undefined ? {} : { fixes: [replace(suggestion, range)] };
  return problem('MV201', range, `${place} \`${name}\`${didYouMean(suggestion)}`, fixes);
}

function wrongValue(issue: Issue, root: Located, path: RecipePath, lines: LineIndex): Problem {
  const range = lines.range(...spanAt(root, path));
  const node = find(root, path)?.value ?? root;
  const name = path.join('.');
  if (node.kind !== 'scalar') {
    const got = node.kind === 'map' ? 'a mapping' : 'a list';
    const takes = isLength(issue) ? sizeInWords(issue) : `${expected(path)}, not ${got}`;
    return problem('MV202', range, `\`${name}\` takes ${takes}`);
  }
  if (node.value === null)
    return problem('MV202', range, `\`${name}\` has no value; it takes ${expected(path)}`);
  if (typeof node.value === 'number') return wrongNumber(issue, path, node.value, range);
  return wrongText(issue, path, node.value, range);
}

function wrongText(
  issue: Issue,
  path: RecipePath,
  value: string | boolean,
  range: Problem['range'],
): Problem {
  const name = path.join('.');
  if (issue.code === 'invalid_format' || isSize(path)) {
    const message = `\`${name}\` takes a size such as \`2GiB\`, not \`${String(value)}\``;
    return problem('MV209', range, message);
  }
  const choices = describeKey(path)?.choices ?? [];
  if (typeof value === 'string' && choices.length > 0) return wrongChoice(path, value, range);
  const takes = isLength(issue) ? sizeInWords(issue) : `${expected(path)}, not ${inWords(value)}`;
  return problem('MV202', range, `\`${name}\` takes ${takes}`);
}

function isLength(issue: Issue): boolean {
  return issue.code === 'too_small' || issue.code === 'too_big';
}

function wrongNumber(
  issue: Issue,
  path: RecipePath,
  value: number,
  range: Problem['range'],
): Problem {
  const name = path.join('.');
  if (!Number.isFinite(value))
    return problem('MV304', range, `\`${name}\` is ${String(value)}, which no merge can use`);
  if (name === 'version')
    return problem(
      'MV206',
      range,
      `version ${String(value)} is not known; recipes have version 1`,
      {
        fixes: [replace('1', range)],
      },
    );
  const described = describeKey(path);
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const limits = described?.range ?? boundInWords(issue);
    return problem('MV205', range, `\`${name}\` is ${String(value)}; it has to be ${limits}`);
  }
  if (described?.choices.length)
    return problem('MV204', range, `\`${name}\` takes ${expected(path)}, not ${String(value)}`);
  return problem(
    'MV202',
    range,
    `\`${name}\` takes ${expected(path)}, not the number ${String(value)}`,
  );
}

function wrongChoice(path: RecipePath, value: string, range: Problem['range']): Problem {
  const choices = (describeKey(path)?.choices ?? []).map(String);
  const suggestion = nearest(value, choices);
  const tail = suggestion === undefined ? `; it takes ${expected(path)}` : didYouMean(suggestion);
  const message = `\`${path.join('.')}\` has no value \`${value}\`${tail}`;
  const fixes = suggestion === undefined ? {} : { fixes: [replace(suggestion, range)] };
  return problem('MV204', range, message, fixes);
}

function expected(path: RecipePath): string {
  return typeInWords(schemasAt(path).flatMap(alternatives));
}

function isSize(path: RecipePath): boolean {
  return ['run.memory', 'output.shard'].includes(path.join('.'));
}

function sizeInWords(issue: Issue): string {
  if (issue.code === 'too_small')
    return issue.origin === 'string'
      ? 'text that is not empty'
      : `at least ${String(issue.minimum)}`;
  return issue.code === 'too_big' ? `at most ${String(issue.maximum)}` : '';
}

function boundInWords(issue: Issue): string {
  if (issue.code === 'too_small')
    return `${issue.inclusive === false ? 'above' : 'at least'} ${String(issue.minimum)}`;
  return issue.code === 'too_big' ? `at most ${String(issue.maximum)}` : 'in range';
}

function inWords(value: unknown): string {
  return typeof value === 'string' ? `the text \`${value}\`` : `\`${String(value)}\``;
}

function replace(text: string, range: Problem['range']): Fix {
  return { title: `Replace by \`${text}\``, edits: [{ range, newText: text }] };
}
