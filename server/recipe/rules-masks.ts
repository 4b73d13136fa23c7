import type { Problem } from '../protocol/problem';
import { keyRange } from './locate';
import type { RecipeDocument } from './parse';
import { at, atKey, count, methodsInUse, removal, replacement, type Rule } from './rule';
import { didYouMean, nearest } from './suggest';

const usefulLambda = 10;

export const maskRule: Rule = (document) => {
  const { masks } = document.recipe;
  const emr = methodsInUse(document).includes('emr');
  const others = methodsInUse(document).some((method) => method !== 'emr');
  const rule = masks === 'none' ? 'none' : masks?.rule;
  if (!others && masks !== undefined && rule !== 'emr') {
    const message = '`emr` brings its own masks; leave `masks` out';
    return [atKey(document, ['masks'], 'MV308', message, removal(document, ['masks']))];
  }
  if (masks === undefined || masks === 'none' || rule !== 'emr') return [];
  if (!emr)
    return [
      at(document, ['masks', 'rule'], 'MV308', 'the masks of `emr` come only with `method: emr`'),
    ];
  const idle = (['lambda', 'consensus'] as const).filter((key) => masks[key] !== undefined);
  return idle.map((key) =>
    atKey(document, ['masks', key], 'MV301', `the masks of \`emr\` do not use \`${key}\``, {
      ...removal(document, ['masks', key]),
      tag: 'unnecessary',
    }),
  );
};

export const lambdas: Rule = (document) => {
  const { masks } = document.recipe;
  if (masks === undefined || masks === 'none' || masks.lambda === undefined) return [];
  const { lambda } = masks;
  const path = ['masks', 'lambda'];
  if (typeof lambda === 'number') return lambdaValue(document, path, lambda);
  const written = Object.keys(lambda);
  const unknown = written.filter((task) => !document.tasks.includes(task));
  const left = document.tasks.filter((task) => !written.includes(task));
  return [
    ...written.flatMap((task) => lambdaValue(document, [...path, task], lambda[task] ?? 0)),
    ...unknown.map((task) => unknownTaskKey(document, [...path, task], task)),
    ...(left.length > 0 && unknown.length === 0
      ? [
          atKey(
            document,
            path,
            'MV319',
            `${left.map((task) => `\`${task}\``).join(', ')} get${left.length === 1 ? 's' : ''} the default λ 0.6`,
          ),
        ]
      : []),
  ];
};

function lambdaValue(document: RecipeDocument, path: readonly string[], value: number): Problem[] {
  if (value === 0)
    return [
      at(document, path, 'MV302', 'with λ 0 every position that an expert changed is active'),
    ];
  if (value > usefulLambda)
    return [
      at(
        document,
        path,
        'MV302',
        'with λ above 10 almost no position is active; 0.2 to 0.6 is usual',
      ),
    ];
  return [];
}

function unknownTaskKey(document: RecipeDocument, path: readonly string[], task: string): Problem {
  const suggestion = nearest(task, document.tasks);
  const range = keyRange(document, path);
  const fix = suggestion === undefined || !range ? {} : replacement(range, suggestion);
  const message = `\`${task}\` is no task of this recipe${didYouMean(suggestion)}`;
  return atKey(document, path, 'MV307', message, fix);
}

export const consensus: Rule = (document) => {
  const { masks } = document.recipe;
  if (masks === undefined || masks === 'none' || !masks.consensus) return [];
  const tasks = document.tasks.length;
  if (masks.consensus <= tasks || tasks === 0) return [];
  const message = `no position can be active in ${String(masks.consensus)} masks when there ${tasks === 1 ? 'is' : 'are'} ${count(tasks, 'task')}`;
  return [at(document, ['masks', 'consensus'], 'MV309', message)];
};

export const routerKeys: Rule = (document) => {
  const { router } = document.recipe;
  if (router === undefined || router === 'none') return [];
  const none = !router.calibration?.length;
  if (router.offset === 'stored' && none)
    return [
      at(
        document,
        ['router', 'offset'],
        'MV325',
        '`offset: stored` needs episodes in `calibration`',
      ),
    ];
  if (router.offset === 'stored' || router.calibration === undefined) return [];
  const message = '`calibration` is used only with `offset: stored`';
  return [atKey(document, ['router', 'calibration'], 'MV326', message, { tag: 'unnecessary' })];
};
