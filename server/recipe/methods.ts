/** Which kind of pass a method needs over the task vectors (columns τ_1 … τ_M at one position, or more). */
export type MethodFamily = 'elementwise' | 'select' | 'reduction' | 'matrix';

export const methodNames = [
  'average',
  'task_arithmetic',
  'ties',
  'dare_linear',
  'dare_ties',
  'breadcrumbs',
  'breadcrumbs_ties',
  'della',
  'della_linear',
  'slerp',
  'model_stock',
  'emr',
  'iso_c',
  'iso_cts',
  'tsv',
  'knots',
  'wudi',
] as const;

export type MethodName = (typeof methodNames)[number];

/** Parameters of `merge` that only some methods use, with the value each has where a method names none. */
export const parameterDefaults = {
  normalize: false as boolean,
  density: 1,
  trim_scope: 'model' as 'model' | 'tensor',
  agree: 'sum' as 'sum' | 'mean' | 'max',
  elect_tie: 'global' as 'global' | 'positive',
  rescale: 'none' as 'keep_probability' | 'l1' | 'none',
  seed: 0,
  epsilon: 0.15,
  gamma: 0.01,
  t: 0.5,
  filter_wise: false as boolean,
  rank_tolerance: 0,
  common_fraction: 0.8,
  tolerance: 1e-4,
  inner: 'sum' as 'sum' | 'ties',
  iterations: 300,
  learning_rate: 1e-5,
};

export type MethodParameters = typeof parameterDefaults;
export type ParameterName = keyof MethodParameters;

export interface MethodInfo {
  readonly family: MethodFamily;
  /** Parameters the method uses, with the method's own defaults. */
  readonly parameters: Partial<MethodParameters>;
  /** How many experts it takes, beside the base. */
  readonly experts: { readonly min: number; readonly max: number };
  /** False where Θ0 is never read. */
  readonly needsBase: boolean;
  /** One Markdown sentence or two. */
  readonly doc: string;
  /** Where the method comes from. */
  readonly source: string;
}

const any = { min: 1, max: 64 } as const;
const election = { agree: 'sum', elect_tie: 'global' } as const;

/** Every method of the recipe language. Whether this version can run one is the engine's answer. */
export const methods: Readonly<Record<MethodName, MethodInfo>> = {
  average: {
    family: 'elementwise',
    parameters: { normalize: true },
    experts: any,
    needsBase: false,
    doc: 'Weighted average of whole weights, Σ w θ, divided by Σ w when `normalize` is true. Every tensor is averaged, changed or not.',
    source: 'Wortsman et al. 2022, Model soups',
  },
  task_arithmetic: {
    family: 'elementwise',
    parameters: { normalize: false },
    experts: any,
    needsBase: true,
    doc: 'Weighted sum of the task vectors, Σ w τ.',
    source: 'Ilharco et al. 2023, Editing models with task arithmetic',
  },
  ties: {
    family: 'select',
    parameters: { density: 1, trim_scope: 'model', ...election },
    experts: any,
    needsBase: true,
    doc: 'Trims each task vector to its largest magnitudes, elects one sign for each element and sums what agrees. The defaults are those of MergeVLA: no trimming, sum.',
    source: 'Yadav et al. 2023, TIES-Merging',
  },
  dare_linear: {
    family: 'elementwise',
    parameters: { density: 0.5, rescale: 'keep_probability', seed: 0 },
    experts: any,
    needsBase: true,
    doc: 'Keeps each element of a task vector at random with probability `density`, rescales what is left and sums.',
    source: 'Yu et al. 2024, Language models are super Mario (DARE)',
  },
  dare_ties: {
    family: 'elementwise',
    parameters: { density: 0.5, rescale: 'keep_probability', seed: 0, ...election },
    experts: any,
    needsBase: true,
    doc: 'DARE followed by the sign election of TIES.',
    source: 'Yu et al. 2024, Language models are super Mario (DARE)',
  },
  breadcrumbs: {
    family: 'select',
    parameters: { density: 0.9, gamma: 0.01 },
    experts: any,
    needsBase: true,
    doc: 'Drops in each tensor the share `gamma` of the largest and as many of the smallest magnitudes as leave `density`, then sums.',
    source: 'Davari & Belilovsky 2024, Model Breadcrumbs',
  },
  breadcrumbs_ties: {
    family: 'select',
    parameters: { density: 0.9, gamma: 0.01, ...election },
    experts: any,
    needsBase: true,
    doc: 'Breadcrumbs followed by the sign election of TIES.',
    source: 'Davari & Belilovsky 2024, Model Breadcrumbs',
  },
  della: {
    family: 'select',
    parameters: { density: 0.5, epsilon: 0.15, rescale: 'l1', seed: 0, ...election },
    experts: any,
    needsBase: true,
    doc: 'Keeps elements at random with a probability that rises with the magnitude rank in the row, from `density − epsilon` to `density + epsilon`, then elects signs as TIES does.',
    source: 'Deep et al. 2024, DELLA-Merging',
  },
  della_linear: {
    family: 'select',
    parameters: { density: 0.5, epsilon: 0.15, rescale: 'l1', seed: 0 },
    experts: any,
    needsBase: true,
    doc: 'DELLA without the sign election: what is kept is summed.',
    source: 'Deep et al. 2024, DELLA-Merging',
  },
  slerp: {
    family: 'reduction',
    parameters: { t: 0.5 },
    experts: { min: 1, max: 2 },
    needsBase: false,
    doc: 'Spherical interpolation, tensor by tensor, from the base to the one expert, or from the first of two experts to the second.',
    source: 'Shoemake 1985; mergekit',
  },
  model_stock: {
    family: 'reduction',
    parameters: { filter_wise: false },
    experts: { min: 2, max: 64 },
    needsBase: true,
    doc: 'Moves from the base towards the mean of the experts as far as the angle between their task vectors allows.',
    source: 'Jang et al. 2024, Model Stock',
  },
  emr: {
    family: 'elementwise',
    parameters: {},
    experts: any,
    needsBase: true,
    doc: 'Elects a unified vector from signs and largest magnitudes; each task gets a mask and one rescaler. It brings its own masks.',
    source: 'Huang et al. 2024, EMR-Merging',
  },
  iso_c: {
    family: 'matrix',
    parameters: { rank_tolerance: 0 },
    experts: any,
    needsBase: true,
    doc: 'Replaces the singular values of the summed task vector by their mean. Tensors that are not matrices take the mean.',
    source: 'Marczak et al. 2025, No Task Left Behind (Iso-C)',
  },
  iso_cts: {
    family: 'matrix',
    parameters: { common_fraction: 0.8, rank_tolerance: 0 },
    experts: any,
    needsBase: true,
    doc: 'Iso-C on a common subspace joined with task-specific directions. Tensors that are not matrices take the mean.',
    source: 'Marczak et al. 2025, No Task Left Behind (Iso-CTS)',
  },
  tsv: {
    family: 'matrix',
    parameters: {},
    experts: any,
    needsBase: true,
    doc: 'Keeps the leading singular triples of each task vector and removes the interference between them. Tensors that are not matrices take the mean.',
    source: 'Gargiulo et al. 2025, Task Singular Vectors',
  },
  knots: {
    family: 'matrix',
    parameters: { tolerance: 1e-4, inner: 'sum' },
    experts: any,
    needsBase: true,
    doc: 'Aligns the task vectors by one singular value decomposition and merges their right parts by sum, or with `inner: ties` by TIES and its parameters, which then work on each matrix alone.',
    source: 'Stoica et al. 2025, KnOTS',
  },
  wudi: {
    family: 'matrix',
    parameters: { iterations: 300, learning_rate: 1e-5 },
    experts: any,
    needsBase: true,
    doc: 'Minimises the interference of the merged vector with each task vector by Adam steps on each matrix. Embeddings and `lm_head` are left out of the scope, as in the release. Takes hours on large models: `merge --accept-hours`.',
    source: 'Cheng et al. 2025, Whoever started the interference should end it (WUDI)',
  },
};

/** Parameters that may stand beside a method, with their defaults. `inner: ties` brings those of TIES. */
export function parametersOf(method: MethodName, inner?: string): Partial<MethodParameters> {
  const own = methods[method].parameters;
  return method === 'knots' && inner === 'ties' ? { ...methods.ties.parameters, ...own } : own;
}

/** Methods that use a parameter, in table order. */
export function methodsUsing(parameter: ParameterName): MethodName[] {
  return methodNames.filter(
    (name) =>
      parameter in methods[name].parameters ||
      (name === 'knots' && parameter in methods.ties.parameters),
  );
}

export function isMethodName(text: unknown): text is MethodName {
  return methodNames.some((name) => name === text);
}

export function isParameterName(text: string): text is ParameterName {
  return Object.hasOwn(parameterDefaults, text);
}
