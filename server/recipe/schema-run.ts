import { z } from 'zod';
import { defaults, policyNames } from './defaults';
import { boundedNumber, key, text, wholeNumber } from './schema-key';

/** `2GiB`, `500 MB`, or a number of bytes. */
const size = z.union([
  z.string().regex(/^\s*\d+(\.\d+)?\s*([kKMGT]i?)?B?\s*$/),
  z.number().min(1).max(Number.MAX_SAFE_INTEGER),
]);

export const headsSchema = z.strictObject({
  unmerged_blocks: key(wholeNumber(0), {
    doc: 'Last blocks of the action expert that are kept for each task, with the final norm and the output layer.',
    default: defaults.heads.unmerged_blocks,
    range: '0 to the number of blocks',
  }),
  per_task: key(z.array(text), {
    doc: 'Globs of further tensors of the action expert that are kept for each task instead of averaged.',
    default: [],
    examples: [['*v_task*', '*v_adapter*']],
    names: 'glob',
  }),
});

export const routerSchema = z.union([
  z.literal('none'),
  z.strictObject({
    rank: key(wholeNumber(1, 65536), {
      doc: 'Singular vectors kept in each router basis.',
      default: defaults.router.rank,
    }),
    pairing: key(z.enum(['same', 'crossed']), {
      doc: 'Which hidden states meet which basis.',
      default: defaults.router.pairing,
      values: {
        same: 'task states with the task basis, action states with the action basis (released code)',
        crossed: 'the other way round (Algorithm 1 as printed)',
      },
    }),
    value_block: key(wholeNumber(0), {
      doc: 'Block of the action expert whose value projections give the bases; absent: the last averaged one, as in the released code.',
    }),
    hidden_entry: key(wholeNumber(0), {
      doc: 'Entry of the hidden states that is projected (0 is the embedding); absent: as in the released code.',
    }),
    temperature: key(boundedNumber({ above: 0 }), {
      doc: 'Temperature of the softmax over tasks. The choice does not depend on it.',
      default: defaults.router.temperature,
      range: '> 0',
    }),
    per: key(z.enum(['episode', 'suite']), {
      doc: 'How often the task is chosen.',
      default: defaults.router.per,
      values: {
        episode: 'once, from the first observation (Algorithm 1)',
        suite: 'once for all episodes of a task, from the first one (released code)',
      },
    }),
    offset: key(z.enum(['none', 'stored']), {
      doc: 'Divide each score by its mean over stored first frames. Outside the paper, and labelled so.',
      default: defaults.router.offset,
      values: { none: 'scores as they are', stored: 'divided by the means over `calibration`' },
    }),
    calibration: key(z.array(text), {
      doc: 'First frames that give the offsets: recorded episodes, `demos.safetensors#N`, or JSON files with images and instruction. The means are computed at the merge and kept in the run.',
      names: 'path',
    }),
  }),
]);

export const evaluateSchema = z.strictObject({
  suite: key(text, {
    doc: 'What is rolled out. `so101-cubes` is built in; other suites need `command`.',
    default: defaults.evaluate.suite,
    examples: ['so101-cubes', 'libero_spatial'],
  }),
  episodes: key(wholeNumber(1, 100_000), {
    doc: 'Episodes for each policy and task.',
    default: defaults.evaluate.episodes,
  }),
  seed: key(wholeNumber(0, 2 ** 32 - 1), {
    doc: 'Seed of the first episode; policies share seeds.',
    default: defaults.evaluate.seed,
  }),
  range: key(z.enum(['test', 'validation']), {
    doc: 'Which seeds of the built-in bench are played. A setting that was chosen on test seeds would look better on them than it is.',
    default: defaults.evaluate.range,
    values: {
      test: 'for tables',
      validation: 'for choosing λ, α and the like; every figure says so',
    },
  }),
  policies: key(z.array(z.enum(policyNames)), {
    doc: 'Which policies are compared.',
    default: defaults.evaluate.policies,
    values: {
      blind: 'each expert with its pictures replaced by their mean',
      experts: 'each task by its own expert',
      merged: 'merged, without masks, with the expert head of the true task',
      masked: 'merged, with the mask and the expert head of the true task',
      routed: 'merged, with the task chosen by the router',
      cross: 'each task by the experts of the other tasks',
      own_vlm: "the expert's own vision-language model with the merged action expert",
      own_action_expert:
        "the masked vision-language model with the expert's own whole action expert",
    },
  }),
  execute: key(wholeNumber(1, 4096), {
    doc: 'Actions executed of each chunk; absent: all.',
  }),
  max_steps: key(wholeNumber(1, 1_000_000), {
    doc: "Steps after which an episode has failed; absent: the suite's own.",
  }),
  shift: key(z.enum(['none', 'colours']), {
    doc: 'Change of the scene that no expert has seen.',
    default: defaults.evaluate.shift,
    values: { none: 'as trained', colours: 'unseen cube colours' },
  }),
  command: key(z.union([text, z.array(text).min(1)]), {
    doc: 'External harness, started once for each policy and task with a JSON job on its input.',
    examples: ['python eval.py'],
  }),
  timeout: key(boundedNumber({ above: 0, max: 1e6 }), {
    doc: 'Seconds that the external harness may be silent before it is ended.',
    default: defaults.evaluate.timeout,
    range: '> 0',
  }),
});

const sweepValues = z.array(z.unknown()).min(1).max(10_000);

export const sweepSchema = z.record(
  z.string(),
  z.union([sweepValues, z.record(z.string(), sweepValues)]),
);

export const runSchema = z.strictObject({
  device: key(text, {
    doc: 'Where arithmetic happens: `auto`, `cpu`, or a device that `mergevla devices` names.',
    default: defaults.run.device,
    examples: ['auto', 'cpu'],
    names: 'device',
  }),
  threads: key(z.union([z.literal('auto'), wholeNumber(1, 1024)]), {
    doc: 'Worker threads.',
    default: defaults.run.threads,
  }),
  memory: key(size, {
    doc: 'Memory a merge may use.',
    default: defaults.run.memory,
    examples: ['2GiB', '500MB'],
  }),
  engine: key(z.enum(['local', 'slurm']), {
    doc: 'Where the points of a sweep run.',
    default: defaults.run.engine,
    values: { local: 'on this machine', slurm: 'as jobs of a Slurm cluster' },
  }),
  slurm: key(
    z.strictObject({
      partition: key(text, { doc: 'Partition.' }),
      gres: key(text, { doc: 'Generic resources.', examples: ['gpu:1'] }),
      cpus: key(wholeNumber(1, 4096), { doc: 'CPUs for each task.' }),
      mem: key(z.union([text, wholeNumber(1)]), {
        doc: 'Memory of a job, as `sbatch --mem` takes it.',
        examples: ['16G'],
      }),
      time: key(z.union([text, wholeNumber(1)]), {
        doc: 'Time limit of a job, as `sbatch --time` takes it.',
        examples: ['01:00:00'],
      }),
      prelude: key(z.string(), {
        doc: 'Shell lines put before the command, such as `module load`.',
      }),
      parallel: key(wholeNumber(1, 100_000), {
        doc: 'Array tasks that may run at once.',
        default: defaults.slurm.parallel,
      }),
    }),
    { doc: 'What is asked of Slurm; used with `engine: slurm`.' },
  ),
});

export const outputSchema = z.strictObject({
  directory: key(text, {
    doc: 'Folder that gets one folder for each run.',
    default: defaults.output.directory,
    names: 'path',
  }),
  form: key(z.enum(['compact', 'weights', 'mergevla']), {
    doc: 'What is written.',
    default: defaults.output.form,
    values: {
      compact: 'merged vector, masks and a reference to the base',
      weights:
        'a full model, or one for each task (`merged/<task>`) when there are masks; without masks, tensors that every task has for itself are in `merged/per_task/<task>.safetensors`, where the policy finds them',
      mergevla: 'the layout of the released MergeVLA code',
    },
  }),
  dtype: key(z.enum(['same', 'bfloat16', 'float16', 'float32']), {
    doc: 'Type of the numbers written.',
    default: defaults.output.dtype,
    values: { same: "the base's" },
  }),
  shard: key(size, { doc: 'Largest file written.', default: defaults.output.shard }),
});
