import type { SpectraView } from '../../server/protocol/panels/spectra';
import type { Spectrum, TensorSpectrum } from '../../server/protocol/spectrum';

const kinds: readonly (readonly [string, readonly [number, number]])[] = [
  ['self_attn.q_proj.weight', [896, 896]],
  ['self_attn.k_proj.weight', [128, 896]],
  ['mlp.down_proj.weight', [896, 4864]],
];

/** Indices of a spectrum, even on a log scale, as the engine samples them. */
function indicesOf(directions: number): number[] {
  const steps = Array.from({ length: 64 }, (_, i) => Math.round((directions - 1) ** (i / 63)));
  return [...new Set([0, ...steps])].sort((a, b) => a - b);
}

/** A spectrum that falls as a power, with a knee at `rank`: what lies below is rounding noise. */
function spectrumOf(directions: number, scale: number, rank: number): Spectrum {
  const values = indicesOf(directions).map((i) =>
    i < rank ? scale * (i + 1) ** -0.45 : scale * 2e-7 * (1 + (i % 3) / 10),
  );
  return { values, rank, effective_rank: rank * 0.71, weak: 1 - rank / directions };
}

export function tensorOf(
  block: number,
  [name, shape]: (typeof kinds)[number],
  tasks: number,
  k: number,
): TensorSpectrum {
  const directions = Math.min(...shape);
  const rank = (task: number) => Math.round(directions * (0.3 + 0.06 * ((task + block) % 5)));
  const pairs = (tasks * (tasks - 1)) / 2;
  return {
    name: `language_model.model.layers.${String(block)}.${name}`,
    component: 'language_model',
    block,
    kind: name.split('.').at(-2) ?? name,
    shape,
    directions,
    indices: indicesOf(directions),
    tasks: Array.from({ length: tasks }, (_, task) =>
      spectrumOf(directions, 0.4 + 0.12 * task, rank(task)),
    ),
    sum: spectrumOf(directions, 1.1, Math.min(directions, rank(0) * 2)),
    overlaps: Array.from({ length: pairs }, (_, pair) => ({
      cosines: Array.from({ length: k }, (_unused, i) => (0.9 - 0.1 * (pair % 5)) * 0.9 ** i),
      shares: Array.from({ length: k }, (_unused, i) => (0.5 - 0.07 * (pair % 6)) * 0.95 ** i),
    })),
  };
}

/** Measured spectra of some blocks: made up, the same on every machine. */
export function spectraOfBlocks(
  tasks: readonly string[],
  options: { blocks?: number; state?: SpectraView['state']; message?: string } = {},
): SpectraView {
  const { blocks = 24, state = 'done', message } = options;
  const k = 32;
  const tensors = Array.from({ length: blocks }, (_, block) =>
    kinds.map((kind) => tensorOf(block, kind, tasks.length, k)),
  ).flat();
  return {
    state,
    title: blocks === 1 ? 'Language model · block 0' : 'all matrices',
    scope: {
      tasks,
      k,
      rank_tolerance: 0,
      matrices: tensors.length + (state === 'done' ? 1 : 9),
      skipped: [],
    },
    done: tensors.length + (state === 'done' ? 1 : 0),
    tensors,
    ...(message === undefined ? {} : { message }),
  };
}
