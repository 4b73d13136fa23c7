import type { ProblemInfo } from './problems';

/** `MV3xx`: a well-formed recipe that does not mean what its writer hopes. */
export const meaningProblems = {
  MV301: {
    title: 'Parameter the method does not use',
    severity: 'error',
    explanation:
      'The method would ignore the parameter, so the recipe promises what does not happen.',
    example: 'merge: {method: task_arithmetic, density: 0.2}',
  },
  MV302: {
    title: 'Value without use',
    severity: 'warning',
    explanation: 'The value is allowed, but the result is empty or the same as without it.',
    example: 'merge: {alpha: 0}',
  },
  MV303: {
    title: 'Unusual value',
    severity: 'warning',
    explanation: 'The value lies far outside what anybody has used with success.',
    example: 'merge: {alpha: 50}',
  },
  MV304: {
    title: 'Not a finite number',
    severity: 'error',
    explanation: 'NaN and infinity would spread to every merged weight.',
    example: 'experts: {pick: {path: zoo/pick, weight: .nan}}',
  },
  MV305: {
    title: 'Task name cannot be a folder',
    severity: 'error',
    explanation: 'Runs keep files for each task under its name, on every system.',
    example: 'experts: {con: zoo/a}',
  },
  MV306: {
    title: 'Task names too alike',
    severity: 'error',
    explanation: 'Names that differ only in case are one folder on macOS and Windows.',
    example: 'experts: {pick: zoo/a, Pick: zoo/b}',
  },
  MV307: {
    title: 'Unknown task',
    severity: 'error',
    explanation: 'The name is none of the keys of `experts`.',
    example: 'merge: {keep_from: pick_plase}',
  },
  MV308: {
    title: 'Masks do not fit the method',
    severity: 'error',
    explanation: '`emr` brings its own masks, and its masks come from no other method.',
    example: 'merge: {method: emr}\nmasks: {lambda: 0.6}',
  },
  MV309: {
    title: 'Consensus of more tasks than there are',
    severity: 'error',
    explanation: 'No position can be active in more masks than there are tasks.',
    example: 'masks: {consensus: 5} # with 3 experts',
  },
  MV310: {
    title: 'Number of experts does not fit the method',
    severity: 'error',
    explanation: 'Some methods are defined for a fixed number of models.',
    example: 'merge: {method: slerp} # with 3 experts',
  },
  MV311: {
    title: 'Empty range of blocks',
    severity: 'error',
    explanation: '`to` is the first block that is not merged, so it has to be larger than `from`.',
    example: 'merge: {scope: {blocks: {from: 8, to: 4}}}',
  },
  MV312: {
    title: 'Output leaves the folder of the recipe',
    severity: 'error',
    explanation:
      'A recipe writes below its own folder; give another place on the command line with `--out`.',
    example: 'output: {directory: ../../elsewhere}',
  },
  MV313: {
    title: 'Sweep over an unknown key',
    severity: 'error',
    explanation: 'The dotted key names no key of the recipe that can be swept.',
    example: 'sweep: {masks.lamda: [0.4, 0.6]}',
  },
  MV314: {
    title: 'Zipped lists of different lengths',
    severity: 'error',
    explanation: 'Lists under `zip` are walked together.',
    example: 'sweep: {zip: {merge.alpha: [1, 2], masks.lambda: [0.6]}}',
  },
  MV315: {
    title: 'Sweep value does not fit its key',
    severity: 'error',
    explanation: 'A point of the sweep would be a recipe with an error.',
    example: 'sweep: {merge.method: [ties, tise]}',
  },
  MV316: {
    title: 'Path can be written simpler',
    severity: 'hint',
    explanation: 'Forward slashes without `./`, doubled or closing slashes work on every system.',
    example: 'base: .\\zoo\\base\\',
  },
  MV317: {
    title: 'Two tasks on one checkpoint',
    severity: 'error',
    explanation: 'The two tasks would count double and could not be told apart.',
    example: 'experts: {a: zoo/x, b: zoo/x}',
  },
  MV318: {
    title: 'Expert is the base',
    severity: 'error',
    explanation: 'Its task vector is zero.',
    example: 'base: zoo/base\nexperts: {a: zoo/base}',
  },
  MV319: {
    title: 'Tasks without a λ of their own',
    severity: 'information',
    explanation: 'Tasks that the map leaves out get the default.',
    example: 'masks: {lambda: {pick: 0.4}} # with two experts',
  },
  MV320: {
    title: 'Density by tensor needs trimming by tensor',
    severity: 'error',
    explanation: 'Over the whole model only one share can be kept; use `trim_scope: tensor`.',
    example: 'merge: {method: ties, density: {gradient: [0.2, 0.8]}}',
  },
  MV321: {
    title: 'Line never reached',
    severity: 'warning',
    explanation: 'The first line that matches wins, and a line without `match` matches everything.',
    example: 'alpha: [{value: 1}, {match: "*mlp*", value: 0.5}]',
  },
  MV322: {
    title: 'Density and epsilon leave (0, 1)',
    severity: 'error',
    explanation: 'Keep probabilities go from density − epsilon to density + epsilon.',
    example: 'merge: {method: della, density: 0.9, epsilon: 0.2}',
  },
  MV323: {
    title: 'Density and gamma exceed 1',
    severity: 'warning',
    explanation: 'After dropping the share gamma not enough is left to keep the density.',
    example: 'merge: {method: breadcrumbs, density: 0.99, gamma: 0.1}',
  },
  MV324: {
    title: 'Suite without a harness',
    severity: 'warning',
    explanation: 'Only `so101-cubes` is built in; other suites are run by `evaluate.command`.',
    example: 'evaluate: {suite: libero_spatial}',
  },
  MV325: {
    title: 'Router offset without calibration',
    severity: 'error',
    explanation: '`offset: stored` divides by means over the episodes in `calibration`.',
    example: 'router: {offset: stored}',
  },
  MV326: {
    title: 'Setting without effect',
    severity: 'warning',
    explanation: 'Another key makes this one mean nothing.',
    example: 'run: {engine: local, slurm: {partition: gpu}}',
  },
  MV327: {
    title: 'Weights sum to zero',
    severity: 'error',
    explanation: 'A normalised merge divides by the sum of the weights.',
    example: 'merge: {method: average} # with weights 1 and -1',
  },
  MV328: {
    title: 'Output outside the folder of the recipe',
    severity: 'warning',
    explanation:
      'An absolute directory works on one machine only; a path from elsewhere deserves a look.',
    example: 'output: {directory: /scratch/runs}',
  },
  MV329: {
    title: 'Sweep with too many points',
    severity: 'error',
    explanation: 'A sweep has at most 100,000 points.',
    example: 'sweep: {a: [1, …], b: [1, …], c: [1, …]}',
  },
  MV330: {
    title: 'Part of the mergekit recipe is lost',
    severity: 'warning',
    explanation: 'The two languages do not express the same; what has no counterpart is listed.',
    example: 'tokenizer_source: union',
  },
} as const satisfies Record<string, ProblemInfo>;
