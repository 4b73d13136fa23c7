import type { Estimate } from '../../protocol/report';

const normal975 = 1.959963984540054;

/**
 * The 0.975 quantile of Student's t with `df` degrees of freedom, at least 2, by Hill's expansion
 * (Algorithm 396, 1970): within 1e-3 of the exact value at df = 2.5 and 1e-5 from df = 5 on.
 */
export function tQuantile975(df: number): number {
  if (df > 1e7) return normal975;
  if (df <= 2) return 4.302652729696142;
  const p = 0.05;
  const a = 1 / (df - 0.5);
  const b = 48 / (a * a);
  const c = (((20700 * a) / b - 98) * a - 16) * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt((a * Math.PI) / 2) * df;
  const y = (d * p) ** (2 / df);
  return Math.sqrt(df * (y > 0.05 + a ? nearNormal(df, { a, b, c, d }) : inTail(df, y, d)));
}

function nearNormal(df: number, terms: { a: number; b: number; c: number; d: number }): number {
  const { a, b, d } = terms;
  const x = -normal975;
  const c0 = terms.c + (df < 5 ? 0.3 * (df - 4.5) * (x + 0.6) : 0);
  const c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c0;
  const square = x * x;
  const y = (((((0.4 * square + 6.3) * square + 36) * square + 94.5) / c - square - 3) / b + 1) * x;
  return Math.expm1(a * y * y);
}

function inTail(df: number, y: number, d: number): number {
  const inner = 1 / (((df + 6) / (df * y) - 0.089 * d - 0.822) * (df + 2) * 3) + 0.5 / (df + 4);
  return ((inner * y - 1) * (df + 1)) / (df + 2) + 1 / y;
}

/** The variance of an estimated share and what it stands on. */
export interface ShareVariance {
  readonly variance: number;
  /** Satterthwaite degrees of freedom. */
  readonly degreesOfFreedom: number;
  /** Clusters drawn in bands that are not read whole. */
  readonly clusters: number;
}

/**
 * Wilson's interval for a share, with the effective number of positions that a clustered variance
 * allows and a t quantile (sketch design §2). Where every cluster looked alike the effective number
 * is that of the clusters: the honest worst case is a whole cluster of the other kind.
 */
export function shareInterval(
  p: number,
  { variance, degreesOfFreedom, clusters }: ShareVariance,
): Estimate {
  const alike = variance <= 0 || p <= 0 || p >= 1;
  const n = alike ? clusters : (p * (1 - p)) / variance;
  const q = tQuantile975(alike ? Math.max(2, clusters - 1) : degreesOfFreedom);
  const scale = 1 + (q * q) / n;
  const centre = (p + (q * q) / (2 * n)) / scale;
  const half = (q / scale) * Math.sqrt(Math.max(0, p * (1 - p)) / n + (q * q) / (4 * n * n));
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
