import type {
  Curve,
  DrawerView,
  MaskSnapshot,
  MaskView,
  MergeParameters,
  SectionView,
} from '../../server/protocol/panels/mask-ratios';
import { uniformStream } from '../../server/evaluate/rates/beta';

const components: readonly (readonly [string, string, number])[] = [
  ['dinov2', 'DINOv2 ViT-L', 23],
  ['siglip', 'SigLIP so400m', 26],
  ['projector', 'Projector', 3],
  ['language_model', 'Qwen2.5-0.5B language model', 24],
];

export function sectionsOf(counts = components): SectionView[] {
  return counts.map(([component, label, count]) => ({
    component,
    label,
    blocks: Array.from({ length: count }, (_, block) => ({
      label: component === 'projector' ? `fc${String(block + 1)}` : String(block),
      block: component === 'projector' ? null : block,
    })),
  }));
}

const levels = [
  [0.36, 0.38, 0.33],
  [0.39, 0.31, 0.19],
  [0.28, 0.3, 0.27],
  [0.18, 0.29, 0.39],
];

/** Numbers with the shape of an answer: made up, seeded, the same on every machine. */
export function viewOf(
  tasks: number,
  sections: readonly SectionView[],
  parameters: MergeParameters,
  options: { n?: number; exact?: string } = {},
): MaskView {
  const uniform = uniformStream(5);
  const blocks = sections.flatMap(({ component, blocks: list }) => list.map(() => component));
  const scale = 1 - 0.25 * (parameters.lambda - 0.6);
  const half = options.exact ? 0 : 0.013;
  const active = Array.from({ length: tasks }, (_, task) =>
    blocks.flatMap((component) => {
      const group = component === 'language_model' ? 2 : component === 'projector' ? 1 : 0;
      const value = ((levels[task % 4]?.[group] ?? 0.3) + 0.06 * (uniform() - 0.5)) * scale;
      return [value, value - half, value + half];
    }),
  ).flat();
  const cover = Array.from({ length: tasks + 1 }, (_, k) =>
    blocks.map(() =>
      k === 0 ? 0.06 : k === 1 ? 0.72 : k === tasks ? 0.02 : 0.2 / Math.max(1, tasks - 2),
    ),
  ).flat();
  const conflict = blocks.flatMap((_, b) => {
    const value = 0.5 - 0.07 * Math.exp(-(((b % 25) - 5) ** 2) / 20) + 0.01 * (uniform() - 0.3);
    return [value, value - 0.004, value + 0.004];
  });
  const figure = (value: number) =>
    options.exact ? value : { value, low: value - 0.006, high: value + 0.006 };
  const shares = Array.from({ length: tasks + 1 }, (_, k) => figure(cover[k * blocks.length] ?? 0));
  const square = (pick: (i: number, j: number) => number) =>
    Array.from({ length: tasks * tasks }, (_, k) => {
      const [i, j] = [Math.floor(k / tasks), k % tasks];
      return i === j ? null : figure(pick(i, j));
    });
  return {
    n: options.n ?? 0,
    parameters,
    source: options.exact
      ? { kind: 'exact', run: options.exact }
      : { kind: 'estimate', fractionRead: 0.008, positionsRead: 8_600_000 },
    totals: ['Vision backbone', 'Projector', 'Language model'].map((label, group) => ({
      label,
      active: Array.from({ length: tasks }, (_, task) =>
        figure((levels[task % 4]?.[group] ?? 0.3) * scale),
      ),
    })),
    coverage: ['All', 'Vision', 'Projector', 'Language'].map((label) => ({ label, shares })),
    selfishOfRetained: figure(0.779),
    unrelated: {
      active: 0.42,
      coverage: Array.from({ length: tasks + 1 }, (_, k) =>
        k === 1 ? 0.4 : k === 0 ? 0.02 : 0.58 / Math.max(1, tasks - 1),
      ),
    },
    cosine: square((i, j) => 0.04 + 0.05 * ((i + j) % 4)),
    conflict: square((i, j) => 0.49 - 0.02 * ((i + j) % 4)),
    norms: Array.from({ length: tasks }, (_, i) => figure(0.0184 + 0.002 * (i % 3))),
    active,
    coverageTrack: cover,
    conflictTrack: conflict,
    sentences: {
      totals: 'Vision: object keeps most, 39 %; long least, 18 %',
      pairs: 'Closest: spatial and goal.',
      layers: 'Language model: long keeps most in block 17',
    },
  };
}

export function curvesOf(tasks: number): Curve[] {
  const lambdas = Array.from({ length: 19 }, (_, i) => 0.1 + i * 0.05);
  const alphas = Array.from({ length: 18 }, (_, i) => 0.3 + i * 0.1);
  const ratio = (t: number, task: number) =>
    (1 - (2 / Math.PI) * Math.atan(t * (1.5 + 0.2 * task))) * 0.78;
  return [
    {
      parameter: 'lambda',
      grid: lambdas,
      values: Array.from({ length: tasks }, (_, task) => lambdas.map((t) => ratio(t, task))).flat(),
      unrelated: lambdas.map(
        (t) => 1 - (2 / Math.PI) * Math.atan(t * Math.sqrt(Math.max(1, tasks - 1))),
      ),
    },
    {
      parameter: 'alpha',
      grid: alphas,
      values: Array.from({ length: tasks }, (_, task) =>
        alphas.map((t) => ratio(0.6 * t, task)),
      ).flat(),
    },
  ];
}

export const taskNames = ['spatial', 'object', 'goal', 'long'];

export function drawerOf(tasks: number): DrawerView {
  const names = [
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
    'mlp.gate_proj',
    'mlp.up_proj',
    'mlp.down_proj',
  ];
  const uniform = uniformStream(9);
  const figure = (value: number) => ({ value, low: value - 0.02, high: value + 0.02 });
  return {
    title: 'language_model · block 17',
    by: 'tensor',
    glob: 'language_model.model.layers.17.**',
    positionsRead: 118_784,
    positions: 14_912_384,
    rows: names.map((name) => ({
      name,
      glob: name,
      shape: '896 × 896',
      active: Array.from({ length: tasks }, (_, task) =>
        figure((levels[task % 4]?.[2] ?? 0.3) + 0.1 * (uniform() - 0.5)),
      ),
      coverage: Array.from({ length: tasks + 1 }, (_, k) =>
        figure(k === 1 ? 0.74 : k === 0 ? 0.04 : 0.22 / Math.max(1, tasks - 1)),
      ),
      conflict: figure(0.44 + 0.05 * uniform()),
      cosine: 0.1 * uniform(),
      norm: 0.02 * (0.8 + 0.4 * uniform()),
    })),
  };
}

export function maskSnapshot(
  options: { tasks?: readonly string[]; sections?: SectionView[]; saved?: MergeParameters } = {},
): MaskSnapshot {
  const tasks = options.tasks ?? taskNames;
  const sections = options.sections ?? sectionsOf();
  const saved = options.saved ?? { lambda: 0.6, alpha: 1, density: 1 };
  return {
    phase: { kind: 'ready' },
    banners: [],
    recipes: [{ uri: 'file:///libero.mergevla.yaml', label: 'libero.mergevla.yaml' }],
    uri: 'file:///libero.mergevla.yaml',
    recipe: {
      name: 'libero',
      hash: '3f9a01c7',
      method: 'task_arithmetic',
      tasks,
      missing: [],
      tensors: 367,
      elements: 1_070_000_000,
      saved,
      uses: { lambda: true, alpha: true, density: false },
    },
    sections,
    view: viewOf(tasks.length, sections, saved),
    exact: viewOf(tasks.length, sections, saved, { exact: 'libero-20251207-a41c' }),
    curves: curvesOf(tasks.length),
    paper: {
      totals:
        'Paper, supplement Fig. 2 (TA, λ 0.6; picture without numbers): Long lowest in vision and highest in language, Object the reverse, Spatial fairly high in both.',
      coverage: 'Paper: over 75 % selfish for four LIBERO tasks (λ 0.6; base not stated).',
    },
    trusted: true,
  };
}
