/** What a recipe needs beside the part that a fixture names. */
export const rest = (marked: string) => {
  const text = marked.replace(/[«»]/g, '');
  return [
    /^version:/m.test(text) ? '' : 'version: 1\n',
    /^base:/m.test(text) ? '' : 'base: zoo/base\n',
    /^experts:/m.test(text) ? '' : 'experts: {pick: zoo/pick, push: zoo/push}\n',
  ].join('');
};

interface Fixture {
  readonly code: string;
  /** The range of the finding stands between « and ». */
  readonly marked: string;
  /** The text after the first fix, where there is one. */
  readonly fixed?: string;
}

export const fixtures: readonly Fixture[] = [
  { code: 'MV102', marked: 'base: a\n«base»: b' },
  { code: 'MV105', marked: 'base: «*missing»' },
  { code: 'MV106', marked: 'experts: &a {x: «*a»}' },
  { code: 'MV107', marked: 'name: caf«\uFFFD»' },
  { code: 'MV110', marked: 'merge: {<<: «3»}' },
  {
    code: 'MV201',
    marked: 'merge: {method: ties, «densty»: 0.2}',
    fixed: 'merge: {method: ties, density: 0.2}',
  },
  { code: 'MV201', marked: '«bse»: x', fixed: 'base: x' },
  { code: 'MV202', marked: 'base: «[a, b]»' },
  { code: 'MV202', marked: '«merge»:' },
  { code: 'MV202', marked: 'merge:\n  alpha: {gradient: «x»}' },
  { code: 'MV202', marked: 'masks: {lambda: {pick: «high», push: 1}}' },
  {
    code: 'MV203',
    marked: 'experts: {pick: zoo/pick, «push»: {weight: 2}}',
    fixed: 'experts: {pick: zoo/pick, push: {weight: 2, path: path/to/expert}}',
  },
  { code: 'MV204', marked: 'merge: {method: «tise»}', fixed: 'merge: {method: ties}' },
  { code: 'MV204', marked: 'masks: «nnone»', fixed: 'masks: none' },
  { code: 'MV205', marked: 'merge: {method: ties, density: «20»}' },
  { code: 'MV205', marked: 'merge: {method: ties, density: «0»}' },
  { code: 'MV205', marked: 'router: {rank: «0»}' },
  { code: 'MV206', marked: 'version: «2»', fixed: 'version: 1' },
  { code: 'MV207', marked: '«experts»: {}' },
  { code: 'MV208', marked: '«[a, b]»: 1' },
  { code: 'MV209', marked: 'run: {memory: «lots»}' },
  { code: 'MV210', marked: "merge: {scope: {include: [«'*.{q,k'»]}}" },
  {
    code: 'MV301',
    marked: 'merge:\n  method: task_arithmetic\n  «density»: 0.2 # mine',
    fixed: 'merge:\n  method: task_arithmetic',
  },
  {
    code: 'MV301',
    marked: 'merge: {method: emr}\nmasks: {rule: emr, «lambda»: 0.2}',
    fixed: 'merge: {method: emr}\nmasks: {rule: emr}',
  },
  { code: 'MV301', marked: 'sweep: {«merge.density»: [0.2, 0.4]}' },
  { code: 'MV302', marked: 'merge: {alpha: «0»}' },
  { code: 'MV302', marked: 'masks: {lambda: «11»}' },
  { code: 'MV302', marked: 'experts: {pick: {path: zoo/pick, weight: «0»}, push: zoo/push}' },
  { code: 'MV303', marked: 'merge: {alpha: «50»}' },
  { code: 'MV303', marked: 'merge: {alpha: «-1»}' },
  { code: 'MV304', marked: 'experts: {pick: {path: zoo/pick, weight: «.nan»}, push: zoo/push}' },
  { code: 'MV304', marked: 'merge: {alpha: «.inf»}' },
  ...['con', 'LPT1.x', '..', 'a/b', '"a|b"', 'x.', '" x"', 'base'].map((name) => ({
    code: 'MV305',
    marked: `experts: {«${name}»: zoo/a}`,
  })),
  { code: 'MV306', marked: 'experts: {pick: zoo/a, «Pick»: zoo/b}' },
  {
    code: 'MV307',
    marked: 'merge: {scope: {}, keep_from: «pik»}',
    fixed: 'merge: {scope: {}, keep_from: pick}',
  },
  { code: 'MV307', marked: 'merge: {rest: «elsewhere»}' },
  {
    code: 'MV307',
    marked: 'masks: {lambda: {«pik»: 0.5, push: 0.5}}',
    fixed: 'masks: {lambda: {pick: 0.5, push: 0.5}}',
  },
  {
    code: 'MV308',
    marked: 'merge: {method: emr}\n«masks»: {lambda: 0.6}',
    fixed: 'merge: {method: emr}',
  },
  { code: 'MV308', marked: 'masks: {rule: «emr»}' },
  { code: 'MV309', marked: 'masks: {consensus: «3»}' },
  { code: 'MV310', marked: '«experts»: {a: zoo/a}\nmerge: {method: model_stock}' },
  { code: 'MV310', marked: '«experts»: {a: zoo/a, b: zoo/b, c: zoo/c}\nmerge: {method: slerp}' },
  {
    code: 'MV311',
    marked: 'merge: {scope: {blocks: «{from: 8, to: 8}»}}'
      .replace('blocks: «', '«blocks»: ')
      .replace('8}»', '8}'),
  },
  { code: 'MV312', marked: 'output: {directory: «../../elsewhere»}' },
  { code: 'MV312', marked: 'output: {directory: «a/../../b»}' },
  {
    code: 'MV313',
    marked: 'sweep: {«masks.lamda»: [0.4, 0.6]}',
    fixed: 'sweep: {masks.lambda: [0.4, 0.6]}',
  },
  { code: 'MV313', marked: 'sweep: {«experts.nobody.weight»: [1, 2]}' },
  { code: 'MV314', marked: 'sweep: {zip: {merge.alpha: [1, 2], «masks.lambda»: [0.6]}}' },
  { code: 'MV315', marked: 'sweep: {merge.method: [ties, «tise»]}' },
  { code: 'MV316', marked: 'base: «./zoo//base/»', fixed: 'base: zoo/base' },
  { code: 'MV316', marked: 'base: «.\\zoo\\base»', fixed: 'base: zoo/base' },
  { code: 'MV317', marked: 'experts: {a: zoo/x, b: «zoo/x»}' },
  { code: 'MV318', marked: 'experts: {a: zoo/a, b: «zoo/base»}' },
  { code: 'MV319', marked: 'masks: {«lambda»: {pick: 0.4}}' },
  {
    code: 'MV320',
    marked: 'merge: {method: ties, «density»: {gradient: [0.2, 0.8]}}',
    fixed: 'merge: {method: ties, density: {gradient: [0.2, 0.8]}, trim_scope: tensor}',
  },
  { code: 'MV321', marked: 'merge: {alpha: [{value: 1}, «{match: x, value: 2}»]}' },
  { code: 'MV322', marked: 'merge: {method: della, density: 0.9, epsilon: «0.2»}' },
  { code: 'MV323', marked: 'merge: {method: breadcrumbs, density: 0.99, gamma: «0.1»}' },
  { code: 'MV324', marked: 'evaluate: {suite: «libero_spatial»}' },
  { code: 'MV325', marked: 'router: {offset: «stored»}' },
  { code: 'MV326', marked: 'run: {«slurm»: {partition: gpu}}' },
  { code: 'MV326', marked: 'merge: {«keep_from»: pick}' },
  {
    code: 'MV327',
    marked:
      '«experts»: {a: {path: zoo/a, weight: 1}, b: {path: zoo/b, weight: -1}}\nmerge: {method: average}',
  },
  { code: 'MV328', marked: 'output: {directory: «/scratch/runs»}' },
  {
    code: 'MV329',
    marked: `«sweep»: {merge.alpha: [${'1, '.repeat(400)}1], masks.lambda: [${'1, '.repeat(400)}1]}`,
  },
];

/** The whole text of a fixture, what stands before its part, and the marked range as offsets. */
export function spelt(marked: string): { head: string; text: string; start: number; end: number } {
  const head = rest(marked);
  return {
    head,
    text: head + marked.replace(/[«»]/g, ''),
    start: head.length + marked.indexOf('«'),
    end: head.length + marked.indexOf('»') - 1,
  };
}
