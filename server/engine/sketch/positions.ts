import { randomKey, randomWord } from '../random';

/** Elements of one cluster: a run of consecutive positions, counted from the tensor's own start. */
export const clusterElements = 256;
/** Row bands, the strata of a tensor. */
export const bandCount = 4;
/** Clusters of each band that are read by the end of each round. */
export const roundSizes = [4, 8, 16] as const;
/** Tensors of up to this many clusters are read whole, in one read, and are exact. */
export const wholeClusters = 128;
/** Zoos of up to this many columns are read whole. */
export const wholeZooElements = 4_000_000;

const fullSample = roundSizes[2] * bandCount;
const fullSampleElements = 16 * 1024 * 1024;

/** A run of positions that is read together from base and experts. */
export interface Cluster {
  /** First element, counted from the tensor's start. */
  readonly start: number;
  /** `clusterElements`, or fewer at the tensor's end. */
  readonly length: number;
  readonly band: number;
  /** 0, 1 or 2: with which round it is read. */
  readonly round: number;
}

/** Which positions of one tensor are sampled; the same for base and every expert. */
export interface TensorSample {
  /** True when every position is in it, so that figures are exact. */
  readonly whole: boolean;
  /** In ascending order of `start`. */
  readonly clusters: readonly Cluster[];
  /** Number of clusters in each band, drawn or not. */
  readonly populations: readonly number[];
}

/**
 * Draws the positions of one tensor (sketch design §1): four bands of equal size, clusters at random
 * in each without replacement, keyed by seed, name, size and band. Rounds are prefixes of one random
 * order, so later rounds refine the same sample. `budget` lowers the clusters per tensor, to no fewer
 * than the first round, where columns × tasks would not fit in memory.
 */
export function samplePositions(
  tensor: { readonly name: string; readonly elements: number },
  options: { readonly seed: number; readonly whole: boolean; readonly budget?: number },
): TensorSample {
  const total = Math.ceil(tensor.elements / clusterElements);
  if (options.whole || total <= wholeClusters) return everything(tensor.elements, total);
  const wanted = sampleSize(tensor.elements);
  const drawn = Math.max(roundSizes[0] * bandCount, Math.min(wanted, options.budget ?? wanted));
  const perBand = Math.ceil(drawn / bandCount);
  const clusters: Cluster[] = [];
  const populations: number[] = [];
  for (let band = 0; band < bandCount; band++) {
    const from = Math.floor((band * total) / bandCount);
    const to = Math.floor(((band + 1) * total) / bandCount);
    populations.push(to - from);
    const key = randomKey(
      options.seed,
      `${tensor.name}\u0000${String(tensor.elements)}`,
      String(band),
    );
    draw(to - from, Math.min(perBand, to - from), (i) => randomWord(key, i)).forEach(
      (index, order) => {
        clusters.push({
          ...clusterAt(tensor.elements, from + index),
          band,
          round: roundOf(order, perBand),
        });
      },
    );
  }
  clusters.sort((a, b) => a.start - b.start);
  return { whole: false, clusters, populations };
}

/** 64 clusters up to 16 Mi elements, growing with the root of the size above that. */
function sampleSize(elements: number): number {
  return Math.ceil(fullSample * Math.max(1, Math.sqrt(elements / fullSampleElements)));
}

function everything(elements: number, total: number): TensorSample {
  const clusters = Array.from({ length: total }, (_, i) => ({
    ...clusterAt(elements, i),
    band: 0,
    round: 0,
  }));
  return { whole: true, clusters, populations: [total] };
}

function clusterAt(elements: number, index: number): { start: number; length: number } {
  const start = index * clusterElements;
  return { start, length: Math.min(clusterElements, elements - start) };
}

/** The first quarter of a band's clusters comes with round 0, the next with 1, the rest with 2. */
function roundOf(order: number, perBand: number): number {
  const share = order / perBand;
  return share < 0.25 ? 0 : share < 0.5 ? 1 : 2;
}

/** `count` of 0 … n−1 in random order, by the first steps of a Fisher–Yates shuffle. */
function draw(n: number, count: number, word: (index: number) => number): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, i) => {
    const j = i + Math.floor((word(i) / 0x100000000) * (n - i));
    const picked = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    return picked;
  });
}
