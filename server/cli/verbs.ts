import { loadOptions, observationOptions, serveOptions } from './policy-options';
import { evaluationOptions } from './evaluation-options';
import type { VerbSpec } from './verb';

/** Every verb of the command, in the order of its help. A new verb is one entry here. */
export const verbs: readonly VerbSpec[] = [
  {
    name: 'check',
    summary: 'all problems of a recipe and of the files it names',
    operands: 'RECIPE',
    count: [1, 1],
    options: {},
    load: () => import('./verbs/check'),
  },
  {
    name: 'plan',
    summary: 'what a merge would read, do and write, from headers alone',
    operands: 'RECIPE',
    count: [1, 1],
    options: {
      only: { type: 'string', value: 'GLOB', help: 'plans only the tensors that match' },
    },
    load: () => import('./verbs/plan'),
  },
  {
    name: 'inspect',
    summary: 'layout, components and blocks, and how the experts of a recipe conflict',
    operands: 'RECIPE|CHECKPOINT',
    count: [1, 1],
    options: {
      exact: { type: 'boolean', help: 'reads everything instead of a sample' },
      spectrum: {
        type: 'boolean',
        help: 'singular spectra of the task vectors, effective ranks and overlaps of their subspaces',
      },
      only: { type: 'string', value: 'GLOB', help: 'spectra of the matrices that match' },
      rank: { type: 'string', value: 'K', help: 'singular vectors of an overlap (default 8)' },
      lambda: {
        type: 'string',
        value: 'FROM:TO:STEP',
        help: 'active ratios over λ from one reading, such as 0.2:0.9:0.1',
      },
    },
    load: () => import('./verbs/inspect'),
  },
  {
    name: 'merge',
    summary: 'merges the experts of a recipe into a run directory',
    operands: 'RECIPE',
    count: [1, 1],
    options: {
      out: {
        type: 'string',
        value: 'DIR',
        help: 'makes DIR the run; it must not exist or be empty',
      },
      device: {
        type: 'string',
        value: 'NAME',
        help: 'for means of router scores (offset: stored); merging is the processor’s',
      },
      only: { type: 'string', value: 'GLOB', help: 'merges only the tensors that match' },
      'allow-nonfinite': {
        type: 'boolean',
        help: 'reports NaN and infinity instead of refusing them',
      },
      'accept-hours': {
        type: 'string',
        value: 'N',
        help: 'begins a wudi merge that is estimated at up to N hours (default 1)',
      },
    },
    load: () => import('./verbs/merge'),
  },
  {
    name: 'sweep',
    summary: 'every point of a recipe with sweep, one run each; again: what is missing',
    operands: 'RECIPE',
    count: [1, 1],
    options: {
      out: { type: 'string', value: 'DIR', help: "the sweep's folder; a known one goes on" },
      parallel: { type: 'string', value: 'N', help: 'points that run at once (default 1)' },
      'accept-hours': { type: 'string', value: 'N', help: 'as for merge, for each point' },
    },
    load: () => import('./verbs/sweep'),
  },
  {
    name: 'run-point',
    summary: 'one point of a sweep; at once where its result is there',
    operands: '',
    count: [0, 0],
    options: {
      sweep: { type: 'string', value: 'DIR', help: "the sweep's folder" },
      index: { type: 'string', value: 'N', help: 'number of the point or of the array task' },
      offset: { type: 'string', value: 'K', help: 'points before the first array task' },
      'per-task': { type: 'string', value: 'P', help: 'points of one array task (default 1)' },
      'accept-hours': { type: 'string', value: 'N', help: 'as for merge' },
      tied: { type: 'boolean', help: 'stops when its standard input closes' },
    },
    load: () => import('./verbs/run-point'),
  },
  {
    name: 'collect',
    summary: 'summary.json, metrics.json and a table of what a sweep has so far',
    operands: 'DIR',
    count: [0, 1],
    options: { sweep: { type: 'string', value: 'DIR', help: "the sweep's folder" } },
    load: () => import('./verbs/collect'),
  },
  {
    name: 'devices',
    summary: 'what this machine computes with, and what each device can run',
    operands: '',
    count: [0, 0],
    options: {},
    load: () => import('./verbs/devices'),
  },
  {
    name: 'export',
    summary: 'the result of a run in another form',
    operands: 'RUN',
    count: [1, 1],
    options: {
      form: { type: 'string', value: 'FORM', help: 'weights, mergevla, mergekit or model-card' },
      out: {
        type: 'string',
        value: 'PATH',
        help: 'where to; inside the run or on stdout without it',
      },
    },
    load: () => import('./verbs/export'),
  },
  {
    name: 'import-recipe',
    summary: 'a mergekit recipe as one of ours, as far as it maps',
    operands: 'MERGEKIT.yaml',
    count: [1, 1],
    options: {
      out: {
        type: 'string',
        value: 'FILE',
        help: 'writes the recipe there instead of printing it',
      },
    },
    load: () => import('./verbs/import-recipe'),
  },
  {
    name: 'init',
    summary: 'writes the sample workspace: a recipe and the small zoo it merges',
    operands: 'DIR',
    count: [1, 1],
    options: {
      study: {
        type: 'boolean',
        help: "instead: the paper's component and block studies on a zoo of OpenVLA's shape",
      },
    },
    load: () => import('./verbs/init'),
  },
  {
    name: 'report',
    summary: 'tables of one run or of several side by side',
    operands: 'RUN…',
    count: [1, 64],
    options: {
      format: {
        type: 'string',
        value: 'FORM',
        help: 'text (default), markdown, latex, csv, html or json',
      },
    },
    load: () => import('./verbs/report'),
  },
  {
    name: 'import',
    summary: 'success rates from the logs and result files of other harnesses',
    operands: 'LOG…',
    count: [1, 1024],
    options: {
      policy: { type: 'string', value: 'NAME', help: 'names the policy where a file does not' },
      trials: {
        type: 'string',
        value: 'N',
        help: 'rollouts a task, for files that hold only a rate (RoboTwin)',
      },
      out: {
        type: 'string',
        value: 'DIR',
        help: 'makes DIR a run with these results; it must not exist or be empty',
      },
    },
    load: () => import('./verbs/import'),
  },
  {
    name: 'demos',
    summary: 'demonstrations of the built-in bench by its scripted experts',
    operands: '',
    count: [0, 0],
    options: {
      out: { type: 'string', value: 'DIR', help: 'folder of the files, one a task' },
      task: {
        type: 'string',
        multiple: true,
        value: 'NAME',
        help: 'pick_place, push_cube or stack_cube; all without it',
      },
      episodes: { type: 'string', value: 'N', help: 'solved episodes a task (default 50)' },
      start: { type: 'string', value: 'N', help: 'first training seed to try (default 0)' },
      every: { type: 'string', value: 'N', help: 'keep every n-th frame (default 1)' },
      size: { type: 'string', value: 'PIXELS', help: 'edge of the pictures (default 64)' },
      perturbation: {
        type: 'string',
        value: 'RADIANS',
        help: 'deviation of the random pushes (default 0.03)',
      },
      recolour: { type: 'boolean', help: 'a random colour for the red cube in every episode' },
    },
    load: () => import('./verbs/demos'),
  },
  {
    name: 'route',
    summary: 'router scores: which expert does this observation want',
    operands: 'RECIPE|RUN',
    count: [1, 1],
    options: {
      ...observationOptions,
      detail: { type: 'boolean', help: 'pictures, both pairings and the norm of every token' },
      ...loadOptions,
    },
    load: () => import('./verbs/route'),
  },
  {
    name: 'act',
    summary: 'the action chunk for an observation, routed or of a task',
    operands: 'RECIPE|RUN',
    count: [1, 1],
    options: {
      ...observationOptions,
      task: { type: 'string', value: 'NAME', help: 'this task instead of the routed one' },
      dump: { type: 'string', value: 'FILE.safetensors', help: 'every stage of the forward pass' },
      ...loadOptions,
    },
    load: () => import('./verbs/act'),
  },
  {
    name: 'evaluate',
    summary: 'rolls policies out and gives the table of success rates',
    operands: 'RECIPE|RUN',
    count: [1, 1],
    options: evaluationOptions,
    load: () => import('./verbs/evaluate'),
  },
  {
    name: 'run',
    summary: 'merges, rolls out and reports: the main job',
    operands: 'RECIPE',
    count: [1, 1],
    options: evaluationOptions,
    load: () => import('./verbs/run'),
  },
  {
    name: 'serve',
    summary: 'the routed policy on the openpi and vla-eval websocket protocols',
    operands: 'RUN',
    count: [1, 1],
    options: serveOptions,
    load: () => import('./verbs/serve'),
  },
];
