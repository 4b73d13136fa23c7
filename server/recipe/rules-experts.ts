import type { Problem } from '../protocol/problem';
import { addKey } from './edit';
import { find } from './located';
import { methods } from './methods';
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
  const experts = find(root, ['experts'])?.value;
  if (experts?.kind !== 'map') return [];
  if (tasks.length === 0) return [atKey(document, ['experts'], 'MV207', 'there is no expert')];
  if (tasks.length > maxTasks)
    return [
      atKey(
        document,
        ['experts'],
        'MV207',
        `${count(tasks.length, 'expert')} are more than ${String(maxTasks)}`,
      ),
    ];
  for (const method of methodsInUse(document)) {
    const { min, max } = methods[method].experts;
    if (tasks.length >= min && tasks.length <= max) continue;
    const range =
      min === max
        ? String(min)
        : max === maxTasks
          ? `at least ${String(min)}`
          : `${String(min)} or ${String(max)}`;
    const message = `\`${method}\` takes ${range} experts, and there ${tasks.length === 1 ? 'is' : 'are'} ${String(tasks.length)}`;
    return [atKey(document, ['experts'], 'MV310', message)];
  }
  return [];
};

const reserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;
/** A name and its suffixes have to fit the 255 bytes that file systems allow. */
const maxTaskBytes = 128;

/** Why a task name cannot name a folder, or nothing. */
export function taskNameFault(name: string): string | undefined {
  if (name.trim() === '') return 'is empty';
  if (name === '.' || name === '..') return 'means another folder';
  const character = /[/\\:*?"<>|\p{Cc}]/u.exec(name)?.[0];
  if (character !== undefined)
    return /\p{Cc}/u.test(character) ? 'holds a control character' : `holds \`${character}\``;
  if (/^[\s.]|[\s.]$/.test(name)) return 'begins or ends with a space or a dot';
  if (reserved.test(name)) return 'is a device name on Windows';
  if (new TextEncoder().encode(name).length > maxTaskBytes)
    return `is longer than ${String(maxTaskBytes)} bytes`;
  return ['base', 'average', 'per_task', 'none', '__proto__'].includes(name)
    ? 'has a meaning of its own in recipes'
    : undefined;
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
    const expert = document.recipe.experts?.[task];
    const { path, adapter = undefined } = typeof expert === 'object' ? expert : { path: expert };
    if (path === undefined) continue;
    const written = typeof expert === 'object' ? ['experts', task, 'path'] : ['experts', task];
    if (adapter === undefined && plainPath(path) === base)
      problems.push(
        at(
          document,
          written,
          'MV318',
          `the expert \`${task}\` is the base itself, so its task vector is zero`,
        ),
      );
    const identity = `${plainPath(path)}\n${adapter === undefined ? '' : plainPath(adapter)}`;
    const other = first.get(identity);
    first.set(identity, other ?? task);
    if (other !== undefined)
      problems.push(
        at(document, written, 'MV317', `\`${task}\` and \`${other}\` are one checkpoint`),
      );
  }
  return problems;
};

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
