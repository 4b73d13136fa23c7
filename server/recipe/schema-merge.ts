import { z } from 'zod';
import { defaults } from './defaults';
import { methodNames, methods } from './methods';
import { boundedNumber, key, numberSpec, text, wholeNumber } from './schema-key';

const globs = z.array(text);

const scope = z.strictObject({
  components: key(z.array(text), {
    doc: 'Components that are merged, by name (`lm.block`), by prefix (`vision` takes `vision.dino` and `vision.siglip`), or by the letters of the paper: `A` vision backbone, `B` projector, `C` language model body, `D` language model head (`vision_backbone`, `projector`, `language_model` and `lm_head` in words).',
    examples: [['vision', 'projector'], ['A']],
    names: 'component',
  }),
  blocks: key(
    z.strictObject({
      from: key(wholeNumber(0), { doc: 'First block, counted from 0.', default: 0 }),
      to: key(wholeNumber(0), { doc: 'First block that is no longer merged; absent: to the end.' }),
    }),
    {
      doc: 'Blocks that are merged, `from` included, `to` excluded. Tensors outside blocks are not touched by it.',
      examples: [{ from: 0, to: 12 }],
    },
  ),
  include: key(globs, {
    doc: 'Globs over tensor names; only tensors that match one are merged. `*` matches dots as well.',
    examples: [['*self_attn*']],
    names: 'glob',
  }),
  exclude: key(globs, {
    doc: 'Globs over tensor names; tensors that match one are not merged.',
    examples: [['*.bias']],
    names: 'glob',
  }),
});

const parameters = {
  normalize: key(z.boolean(), {
    doc: 'Divide by the sum of the weights.',
  }),
  density: key(numberSpec({ above: 0, max: 1 }), {
    doc: 'Share of each task vector that is kept. MergeVLA keeps everything.',
    range: '0 < density ≤ 1',
    examples: [0.2],
  }),
  trim_scope: key(z.enum(['model', 'tensor']), {
    doc: 'Over what the largest magnitudes are taken.',
    values: { model: 'over all merged tensors together', tensor: 'in each tensor by itself' },
  }),
  agree: key(z.enum(['sum', 'mean', 'max']), {
    doc: 'What becomes of the entries that have the elected sign.',
    values: {
      sum: 'their sum (MergeVLA)',
      mean: 'their weighted mean (authors, mergekit)',
      max: 'the one of largest magnitude',
    },
  }),
  elect_tie: key(z.enum(['global', 'positive']), {
    doc: 'Which sign is elected where the sum is exactly zero.',
    values: { global: 'the sign of the whole model', positive: 'plus, as mergekit' },
  }),
  rescale: key(z.enum(['keep_probability', 'l1', 'none']), {
    doc: 'How the entries that are kept make up for those dropped.',
    values: {
      keep_probability: 'divided by `density`',
      l1: 'to the L1 norm of the whole tensor, as mergekit',
      none: 'not at all',
    },
  }),
  seed: key(wholeNumber(0, 2 ** 32 - 1), { doc: 'Seed of the random choice.' }),
  epsilon: key(numberSpec({ min: 0, max: 1 }), {
    doc: 'Half the spread of the keep probabilities around `density`.',
    range: '0 < density − epsilon and density + epsilon < 1',
  }),
  gamma: key(numberSpec({ min: 0, max: 1 }), {
    doc: 'Share of the largest magnitudes that is dropped.',
    range: '0 ≤ gamma ≤ 1',
  }),
  t: key(numberSpec(), {
    doc: 'Where between the two models: 0 is the first (or the base), 1 the second (or the expert).',
    range: '0 to 1',
  }),
  filter_wise: key(z.boolean(), { doc: 'One ratio for each row instead of each tensor.' }),
  rank_tolerance: key(boundedNumber({ min: 0, max: 1 }), {
    doc: 'Singular values below this share of the largest count as zero and keep no direction.',
    range: '0 to 1',
  }),
  common_fraction: key(boundedNumber({ min: 0, max: 1 }), {
    doc: 'Share of the directions that is common to all tasks.',
    range: '0 to 1',
  }),
  tolerance: key(boundedNumber({ min: 0 }), {
    doc: 'Singular values up to this size are dropped.',
    range: '≥ 0',
  }),
  inner: key(z.enum(['sum', 'ties']), {
    doc: 'How the aligned right parts are merged.',
    values: { sum: 'summed (MergeVLA)', ties: 'by TIES with its parameters' },
  }),
  iterations: key(wholeNumber(0, 1e6), { doc: 'Steps of Adam.' }),
  learning_rate: key(boundedNumber({ above: 0 }), { doc: 'Step size of Adam.', range: '> 0' }),
};

export const mergeSchema = z.strictObject({
  method: key(z.enum(methodNames), {
    doc: 'How the task vectors become one.',
    default: defaults.merge.method,
    values: Object.fromEntries(methodNames.map((name) => [name, methods[name].doc])),
  }),
  alpha: key(numberSpec(), {
    doc: 'Factor on the merged vector, applied before masks are made.',
    default: defaults.merge.alpha,
    range: 'usually 0.3 to 2',
  }),
  ...parameters,
  scope: key(scope, {
    doc: 'What is merged. Absent: every tensor that differs from the base in some expert.',
  }),
  keep_from: key(text, {
    doc: 'Where parts outside the scope come from: `base`, or a task whose weights are kept.',
    default: defaults.merge.keep_from,
    names: 'task',
  }),
  rest: key(text, {
    doc: 'Parts without a pretrained start (action queries, proprio projector, trunk of the action expert): `average`, `per_task`, or a task.',
    default: defaults.merge.rest,
    names: 'task',
  }),
  precision: key(z.enum(['float32', 'native']), {
    doc: 'Arithmetic of the merge.',
    default: defaults.merge.precision,
    values: {
      float32: 'widened to float32, rounded once on writing',
      native: 'in the stored dtype, rounded where the released code rounds',
    },
  }),
});

const maskLambda = boundedNumber({ min: 0 });

export const masksSchema = z.union([
  z.literal('none'),
  z.strictObject({
    rule: key(z.enum(['tall', 'emr']), {
      doc: 'How task masks are made.',
      default: defaults.masks.rule,
      values: {
        tall: '|τₘ| > λ · |τ_merge − τₘ| (TALL masks)',
        emr: 'the masks that come with `method: emr`',
      },
    }),
    lambda: key(z.union([maskLambda, z.record(z.string(), maskLambda)]), {
      doc: 'λ of the mask rule: one number, or a map from task to number. Larger keeps fewer positions.',
      default: defaults.masks.lambda,
      range: '≥ 0; 0.2 to 0.6 in the papers',
      examples: [0.6, { pick_place: 0.4, push_cube: 0.6 }],
      names: 'task',
    }),
    consensus: key(wholeNumber(0), {
      doc: 'Replace the task masks by the positions active in at least this many of them; 0 is off.',
      default: defaults.masks.consensus,
      range: '0 to the number of tasks',
    }),
  }),
]);
