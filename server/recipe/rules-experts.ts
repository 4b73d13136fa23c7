import type { Problem } from '../protocol/problem';
import { addKey } from './edit';
import { find } from './located';
import { type MethodName, methods } from './methods';
import { isGradient, type NumberSpec, numbersIn, resolveNumber } from './numbers';
import type { RecipeDocument } from './parse';
import { at, atKey, count, isSwept, methodsInUse, type Rule } from './rule';
import { maxTasks } from './schema';

/** Keys without which nothing can be merged. */
export const requiredKeys: Rule = (document) => {
  const problems: Problem[] = [];
  const missing = (key: string, value: unknown, why: string) => {
    if (!document.root || find(document.root, [key]) || isSwept(document, key)) return;
    const message = `\`${key}\` is missing${why}`;
    const fixes = [{ title: `Add \`${key}\``, edits: addKey(document, [key], value) }];
    problems.push(at(document, [], 'MV203', message, { fixes }));
  };
  missing('version', 1, '; recipes begin with `version: 1`');
  if (baseNeeded(document))
    missing('base', 'path/to/base', '; it is the checkpoint the experts began from');
  missing('experts', { task_name: 'path/to/expert' }, '; it maps each task to its checkpoint');
  for (const task of document.tasks) {
    const expert = document.recipe.experts?.[task];
    if (typeof expert !== 'object' || expert.path !== undefined || expert.adapter !== undefined)
      continue;
    if (find(document.root, ['experts', task, 'path'])) continue;
    const fixes = [
      { title: 'Add `path`', edits: addKey(document, ['experts', task, 'path'], 'path/to/expert') },
    ];
    const message = `the expert \`${task}\` needs a \`path\`, an \`adapter\`, or both`;
    problems.push(atKey(document, ['experts', task], 'MV203', message, { fixes }));
  }
  return problems;
};

/** True unless no method in use reads Θ0. An adapter without a path needs the base as well. */
export function baseNeeded(document: RecipeDocument): boolean {
  const experts = Object.values(document.recipe.experts ?? {});
  if (
    experts.some(
      (expert) =>
        typeof expert === 'object' && expert.path === undefined && expert.adapter !== undefined,
    )
  )
    return true;
  return methodsInUse(document).some((method) =>
    method === 'slerp' ? document.tasks.length !== 2 : methods[method].needsBase,
  );
}

export const taskCount: Rule = (document) => {
  const { tasks, root } = document;
  if (find(root, ['experts'])?.value.kind !== 'map') return [];
  const tell = (code: 'MV207' | 'MV310', message: string) => [
    atKey(document, ['experts'], code, message),
  ];
  if (tasks.length === 0) return tell('MV207', 'there is no expert');
  if (tasks.length > maxTasks)
    return tell('MV207', `${count(tasks.length, 'expert')} are more than ${String(maxTasks)}`);
  const method = methodsInUse(document).find((name) => !takes(name, tasks.length));
  if (method === undefined) return [];
  const { min, max } = methods[method].experts;
  const range = max === maxTasks ? `at least ${String(min)}` : `${String(min)} or ${String(max)}`;
  const there = `there ${tasks.length === 1 ? 'is' : 'are'} ${String(tasks.length)}`;
  return tell('MV310', `\`${method}\` takes ${range} experts, and ${there}`);
};

function takes(method: MethodName, experts: number): boolean {
  const { min, max } = methods[method].experts;
  return experts >= min && experts <= max;
}

const reserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;
/** A name and its suffixes have to fit the 255 bytes that file systems allow. */
const maxTaskBytes = 128;

const meanings = ['base', 'average', 'per_task', 'none', '__proto__'];

/** Why a task name cannot name a folder, or nothing. */
export function taskNameFault(name: string): string | undefined {
  const character = /[/\\:*?"<>|\p{Cc}]/u.exec(name)?.[0];
  const faults: [boolean, string][] = [
    [name.trim() === '', 'is empty'],
    [/\p{Cc}/u.test(name), 'holds a control character'],
    [character !== undefined, `holds \`${character ?? ''}\``],
    [/^[\s.]|[\s.]$/.test(name), 'begins or ends with a space or a dot'],
    [reserved.test(name), 'is a device name on Windows'],
    [
      new TextEncoder().encode(name).length > maxTaskBytes,
      `is longer than ${String(maxTaskBytes)} bytes`,
    ],
    [meanings.includes(name), 'has a meaning of its own in recipes'],
  ];
  return faults.find(([faulty]) => faulty)?.[1];
}

export const taskNames: Rule = (document) => {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  const experts = find(document.root, ['experts'])?.value;
  for (const { key } of experts?.kind === 'map' ? experts.entries : []) {
    const fault = taskNameFault(key);
    const path = ['experts', key];
    if (fault) problems.push(atKey(document, path, 'MV305', `the task name \`${key}\` ${fault}`));
    const folded = key.normalize('NFC').toLowerCase();
    const other = seen.get(folded);
    seen.set(folded, other ?? key);
    if (other === undefined || other === key) continue;
    const message = `the task names \`${other}\` and \`${key}\` are one folder where case does not count`;
    problems.push(atKey(document, path, 'MV306', message));
  }
  return problems;
};

/** The same checkpoint twice, or the base as an expert: told from paths alone. */
export const sameCheckpoints: Rule = (document) => {
  const problems: Problem[] = [];
  const first = new Map<string, string>();
  const base = document.recipe.base === undefined ? undefined : plainPath(document.recipe.base);
  for (const task of document.tasks) {
    const { path = base, adapter, written } = checkpointOf(document, task);
    if (path === undefined || written === undefined) continue;
    if (adapter === undefined && path === base) {
      const message = `the expert \`${task}\` is the base itself, so its task vector is zero`;
      problems.push(at(document, written, 'MV318', message));
    }
    const identity = JSON.stringify([path, adapter]);
    const other = first.get(identity);
    first.set(identity, other ?? task);
    if (other === undefined) continue;
    const message = `\`${task}\` and \`${other}\` are one checkpoint`;
    problems.push(at(document, written, 'MV317', message));
  }
  return problems;
};

/** The plain paths of an expert and where the first of them is written; an adapter may stand alone. */
function checkpointOf(document: RecipeDocument, task: string) {
  const expert = document.recipe.experts?.[task];
  const { path, adapter } = typeof expert === 'object' ? expert : { path: expert };
  const plain = (written: string | undefined): string | undefined =>
    written === undefined ? undefined : plainPath(written);
  const key = path === undefined ? 'adapter' : 'path';
  const where = typeof expert === 'object' ? ['experts', task, key] : ['experts', task];
  const isGiven = path !== undefined || adapter !== undefined;
  return { path: plain(path), adapter: plain(adapter), written: isGiven ? where : undefined };
}

/** A path with forward slashes, without `./` and doubled or closing slashes. */
export function plainPath(path: string): string {
  const slashes = path.replaceAll('\\', '/').replace(/(?<=.)\/{2,}/g, '/');
  const parts = slashes
    .split('/')
    .filter((part, index) => part !== '.' || (index === 0 && slashes === '.'));
  return parts.join('/').replace(/(?<=[^:])\/$/, '') || (slashes.startsWith('/') ? '/' : '.');
}

export const weights: Rule = (document) => {
  const problems: Problem[] = [];
  const specs = document.tasks.map((task) => weightOf(document, task));
  document.tasks.forEach((task, index) => {
    if (numbersIn(specs[index] ?? 1).every((value) => value === 0)) {
      const message = `with weight 0 the expert \`${task}\` has no part in the merge`;
      problems.push(at(document, ['experts', task, 'weight'], 'MV302', message));
    }
  });
  if (specs.every((spec) => typeof spec === 'number' || isGradient(spec) || spec.length > 0)) {
    const sum = specs.reduce<number>((total, spec) => total + constant(spec), 0);
    const normalized = methodsInUse(document).some(
      (method) => document.recipe.merge?.normalize ?? methods[method].parameters.normalize,
    );
    if (normalized && specs.length > 0 && Math.abs(sum) < 1e-8)
      problems.push(
        atKey(document, ['experts'], 'MV327', 'the weights of the experts sum to zero'),
      );
  }
  return problems;
};

function weightOf(document: RecipeDocument, task: string): NumberSpec {
  const expert = document.recipe.experts?.[task];
  return typeof expert === 'object' ? (expert.weight ?? 1) : 1;
}

/** A weight that is one number; NaN where it varies, which no sum of zero can hold. */
function constant(spec: NumberSpec): number {
  const values = new Set(numbersIn(spec));
  if (values.size !== 1) return NaN;
  return resolveNumber(spec, { tensorName: '', block: null, blocks: 1 });
}
