import {
  column,
  type BasePair,
  type Columns,
  type Cut,
  type Election,
  type MaskInput,
  type MaskSet,
  type Stages,
  type Window,
} from './stages';

const round = Math.fround;

/** The stages in plain TypeScript, one float32 operation at a time: the oracle of the kernels. */
export const plainStages: Stages = {
  subtract: (a, b, target, n) => {
    for (let i = 0; i < n; i++) target[i] = a[i] - b[i];
  },
  add: (a, b, target, n) => {
    for (let i = 0; i < n; i++) target[i] = a[i] + b[i];
  },
  scale: (a, factor, target, n) => {
    const f = round(factor);
    for (let i = 0; i < n; i++) target[i] = f * a[i];
  },
  sum: (columns, target, n) => {
    for (let i = 0; i < n; i++) target[i] = columnSum(columns, i);
  },
  elect,
  signBalance,
  trim,
  tally,
  taskMask,
  coverage,
  applyMask,
  distance,
  sumSquares,
  gram3: (columns, out, n) => {
    const [a, b, c] = [0, 1, 2].map((m) => column(columns, m));
    out.fill(0);
    const signs = new Float64Array(2);
    [a, b, c].forEach((x, i) => (out[i] = sumSquares(x, n)));
    [[a, b] as const, [a, c] as const, [b, c] as const].forEach(([x, y], i) => {
      signs.fill(0);
      out[3 + i] = dot(x, y, signs, n);
      out[6 + i] = signs[0];
      out[9 + i] = signs[1];
    });
  },
  dot,
};

function signBalance(columns: Columns, n: number, cuts?: Int32Array): number {
  const { data, stride, count } = columns;
  const bits = bitsOf(data);
  let balance = 0;
  for (let i = 0; i < n; i++) {
    let s = 0;
    for (let m = 0, at = i; m < count; m++, at += stride)
      if (!cuts || (bits[at] & 0x7fffffff) > cuts[m]) s = round(s + data[at]);
    balance += Number(s > 0) - Number(s < 0);
  }
  return balance;
}

function columnSum({ data, stride, count }: Columns, i: number): number {
  let s = 0;
  for (let m = 0, at = i; m < count; m++, at += stride) s = round(s + data[at]);
  return s;
}

function elect(columns: Columns, options: Election, target: Float32Array, n: number): void {
  const { agree, tieNegative, signs } = options;
  for (let i = 0; i < n; i++) {
    const s = columnSum(columns, i);
    const negative = s < 0 || (s === 0 && tieNegative);
    if (signs) {
      signs[0] += Number(s > 0) - Number(s < 0);
      if (s === 0 && largestAgreeing(columns, i, negative) !== 0) signs[1]++;
    }
    if (agree === 'max') target[i] = largestAgreeing(columns, i, negative);
    else target[i] = joinAgreeing(columns, i, negative, agree === 'mean' ? options.weights : null);
  }
}

function joinAgreeing(
  { data, stride, count }: Columns,
  i: number,
  negative: boolean,
  weights: Float32Array | null,
): number {
  let total = 0;
  let weight = 0;
  for (let m = 0, at = i; m < count; m++, at += stride) {
    const v = data[at];
    if (!(negative ? v < 0 : v > 0)) continue;
    total = round(total + v);
    if (weights) weight = round(weight + weights[m]);
  }
  if (!weights) return total;
  return round(total / (Math.abs(weight) < round(1e-8) ? 1 : weight));
}

function largestAgreeing({ data, stride, count }: Columns, i: number, negative: boolean): number {
  let largest = 0;
  for (let m = 0, at = i; m < count; m++, at += stride) {
    const v = data[at];
    if (negative ? v < 0 : v > 0) largest = Math.max(largest, Math.abs(v));
  }
  return negative ? -largest : largest;
}

function bitsOf(a: Float32Array): Uint32Array {
  return new Uint32Array(a.buffer, a.byteOffset, a.length);
}

function trim(values: Float32Array, cut: Cut, target: Float32Array, n: number): number {
  const source = bitsOf(values);
  const into = bitsOf(target);
  let used = 0;
  for (let i = 0; i < n; i++) {
    const magnitude = source[i] & 0x7fffffff;
    let keep = magnitude > cut.threshold;
    if (magnitude === cut.threshold && used < cut.remaining) {
      keep = true;
      used++;
    }
    into[i] = keep ? source[i] : 0;
  }
  return used;
}

function tally(values: Float32Array, window: Window, histogram: Uint32Array, n: number): number {
  const bits = bitsOf(values);
  let above = 0;
  for (let i = 0; i < n; i++) {
    const magnitude = bits[i] & 0x7fffffff;
    if (magnitude >= window.high) above++;
    else if (magnitude >= window.low) histogram[(magnitude - window.low) >>> window.shift]++;
  }
  return above;
}

function taskMask(
  { taskVector, merged, lambda }: MaskInput,
  bits: Uint8Array,
  n: number,
  distance?: Float64Array,
): number {
  const l = round(lambda);
  const s = new Float64Array(4);
  let active = 0;
  bits.fill(0, 0, Math.ceil(n / 8));
  for (let i = 0; i < n; i++) {
    const difference = round(merged[i] - taskVector[i]);
    const isActive = Math.abs(taskVector[i]) > round(l * Math.abs(difference));
    const left = isActive ? difference : taskVector[i];
    s[i & 3] += left * left;
    if (!isActive) continue;
    bits[i >>> 3] |= 1 << (i & 7);
    active++;
  }
  if (distance) distance[0] += s[0] + s[1] + (s[2] + s[3]);
  return active;
}

function coverage(masks: MaskSet, histogram: Uint32Array, n: number): void {
  const { bits, stride, count, atLeast } = masks;
  for (let i = 0; i < n; i++) {
    const bit = 1 << (i & 7);
    let covered = 0;
    for (let m = 0, at = i >>> 3; m < count; m++, at += stride) if (bits[at] & bit) covered++;
    histogram[covered]++;
    if (atLeast === 0) continue;
    for (let m = 0, at = i >>> 3; m < count; m++, at += stride)
      bits[at] = covered >= atLeast ? bits[at] | bit : bits[at] & ~bit;
  }
}

function applyMask(pair: BasePair, bits: Uint8Array, target: Float32Array, n: number): void {
  for (let i = 0; i < n; i++)
    target[i] = pair.base[i] + (bits[i >>> 3] & (1 << (i & 7)) ? pair.merged[i] : 0);
}

function distance({ taskVector, merged }: MaskInput, bits: Uint8Array, n: number): number {
  const s = new Float64Array(4);
  for (let i = 0; i < n; i++) {
    const kept = bits[i >>> 3] & (1 << (i & 7)) ? merged[i] : 0;
    const d = round(kept - taskVector[i]);
    s[i & 3] += d * d;
  }
  return s[0] + s[1] + (s[2] + s[3]);
}

function sumSquares(a: Float32Array, n: number): number {
  const s = new Float64Array(4);
  for (let i = 0; i < n; i++) s[i & 3] += a[i] * a[i];
  return s[0] + s[1] + (s[2] + s[3]);
}

function dot(a: Float32Array, b: Float32Array, signs: Float64Array, n: number): number {
  const s = new Float64Array(4);
  for (let i = 0; i < n; i++) {
    s[i & 3] += a[i] * b[i];
    const product = Math.sign(a[i]) * Math.sign(b[i]);
    if (product < 0) signs[0]++;
    if (Math.abs(product) > 0) signs[1]++;
  }
  return s[0] + s[1] + (s[2] + s[3]);
}
