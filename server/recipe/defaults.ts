/** The defaults of the recipe, in one place: resolution, documentation and JSON Schema read them here. */
export const defaults = {
  weight: 1,
  layout: 'auto',
  merge: {
    method: 'task_arithmetic',
    alpha: 1,
    keep_from: 'base',
    rest: 'average',
    precision: 'float32',
  },
  masks: { rule: 'tall', lambda: 0.6, consensus: 0 },
  heads: { unmerged_blocks: 1 },
  router: { rank: 8, pairing: 'same', temperature: 1, per: 'episode', offset: 'none' },
  evaluate: {
    suite: 'so101-cubes',
    episodes: 20,
    seed: 0,
    range: 'test',
    policies: ['blind', 'experts', 'merged', 'masked', 'routed'],
    shift: 'colours',
    timeout: 1800,
  },
  run: { device: 'auto', threads: 'auto', memory: '2GiB', engine: 'local' },
  slurm: { parallel: 8 },
  output: { directory: 'runs', form: 'compact', dtype: 'same', shard: '5GB' },
} as const;

/** What an evaluation can roll out. */
export const policyNames = [
  'blind',
  'experts',
  'merged',
  'masked',
  'routed',
  'cross',
  'own_vlm',
  'own_action_expert',
] as const;
