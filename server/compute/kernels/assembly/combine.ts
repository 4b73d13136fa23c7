/** target = a − b. */
export function subtract(a: usize, b: usize, target: usize, n: u32): void {
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16)
    v128.store(target + o, f32x4.sub(v128.load(a + o), v128.load(b + o)));
}

/** target = a + b. */
export function add(a: usize, b: usize, target: usize, n: u32): void {
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16)
    v128.store(target + o, f32x4.add(v128.load(a + o), v128.load(b + o)));
}

/** target = factor · a. */
export function scale(a: usize, factor: f32, target: usize, n: u32): void {
  const f = f32x4.splat(factor);
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16)
    v128.store(target + o, f32x4.mul(f, v128.load(a + o)));
}

/** target = 0 + c_1 + c_2 + …, in order. `stride` in bytes. */
export function sum(columns: usize, stride: usize, count: u32, target: usize, n: u32): void {
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16) {
    let s = f32x4.splat(0);
    let p = columns + o;
    for (let m: u32 = 0; m < count; m++, p += stride) s = f32x4.add(s, v128.load(p));
    v128.store(target + o, s);
  }
}

/**
 * TIES: elects a sign at each position and takes what agrees: sum (0), mean (1) or largest magnitude (2).
 * `tieNegative` is the sign where the sum is exactly zero. `weights`: one f32 a column, for the mean.
 * `signs` (two i32, 0 for none): see `Election` in stages.ts.
 */
export function elect(
  columns: usize,
  stride: usize,
  count: u32,
  weights: usize,
  target: usize,
  n: u32,
  agree: u32,
  tieNegative: u32,
  signs: usize,
): void {
  const tie = i32x4.splat(tieNegative ? -1 : 0);
  if (count == 3 && agree == 0) {
    electSumOfThree(columns, columns + stride, columns + 2 * stride, target, n, tie, signs);
    return;
  }
  const zero = f32x4.splat(0);
  let balance = i32x4.splat(0);
  let ties = i32x4.splat(0);
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16) {
    let s = zero;
    let p = columns + o;
    for (let m: u32 = 0; m < count; m++, p += stride) s = f32x4.add(s, v128.load(p));
    const below = f32x4.lt(s, zero);
    const even = f32x4.eq(s, zero);
    balance = i32x4.add(i32x4.sub(balance, f32x4.gt(s, zero)), below);
    const negative = v128.or(below, v128.and(even, tie));
    let total = zero;
    let weight = zero;
    let largest = zero;
    p = columns + o;
    for (let m: u32 = 0; m < count; m++, p += stride) {
      const v = v128.load(p);
      const agrees = v128.bitselect(f32x4.lt(v, zero), f32x4.gt(v, zero), negative);
      const taken = v128.and(v, agrees);
      total = f32x4.add(total, taken);
      if (agree == 1)
        weight = f32x4.add(
          weight,
          v128.and(v128.load32_splat(weights + ((<usize>m) << 2)), agrees),
        );
      if (agree == 2) largest = f32x4.pmax(largest, f32x4.abs(taken));
    }
    ties = i32x4.sub(ties, v128.and(even, f32x4.ne(total, zero)));
    if (agree == 1) {
      const small = f32x4.lt(f32x4.abs(weight), f32x4.splat(<f32>1e-8));
      total = f32x4.div(total, v128.bitselect(f32x4.splat(1), weight, small));
    }
    if (agree == 2) total = v128.bitselect(f32x4.neg(largest), largest, negative);
    v128.store(target + o, total);
  }
  if (signs) addSigns(signs, balance, ties);
}

/**
 * The commonest election, with its columns in registers. Values are flipped where the sign is minus, so
 * that what agrees is what is above zero; the last addition makes a flipped zero plain again.
 */
function electSumOfThree(
  a: usize,
  b: usize,
  c: usize,
  target: usize,
  n: u32,
  tie: v128,
  signs: usize,
): void {
  const zero = f32x4.splat(0);
  let balance = i32x4.splat(0);
  let ties = i32x4.splat(0);
  const sign = i32x4.splat(0x80000000);
  for (let o: usize = 0, end = <usize>n << 2; o < end; o += 16) {
    const x = v128.load(a + o);
    const y = v128.load(b + o);
    const z = v128.load(c + o);
    const s = f32x4.add(f32x4.add(f32x4.add(zero, x), y), z);
    const below = f32x4.lt(s, zero);
    const even = f32x4.eq(s, zero);
    balance = i32x4.add(i32x4.sub(balance, f32x4.gt(s, zero)), below);
    const negative = v128.or(below, v128.and(even, tie));
    const flip = v128.and(negative, sign);
    const total = f32x4.add(
      f32x4.add(f32x4.pmax(zero, v128.xor(x, flip)), f32x4.pmax(zero, v128.xor(y, flip))),
      f32x4.pmax(zero, v128.xor(z, flip)),
    );
    ties = i32x4.sub(ties, v128.and(even, f32x4.ne(total, zero)));
    v128.store(target + o, f32x4.add(v128.xor(total, flip), zero));
  }
  if (signs) addSigns(signs, balance, ties);
}

function addSigns(signs: usize, balance: v128, ties: v128): void {
  store<i32>(signs, load<i32>(signs) + laneSum(balance));
  store<i32>(signs + 4, load<i32>(signs + 4) + laneSum(ties));
}

function laneSum(lanes: v128): i32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}

/**
 * Positions with a positive sum minus positions with a negative sum. `cuts` (one i32 a column, 0 for
 * none): magnitudes whose bits are not above it count as zeros.
 */
export function signBalance(
  columns: usize,
  stride: usize,
  count: u32,
  n: u32,
  cuts: usize,
): i32 {
  const zero = f32x4.splat(0);
  const magnitude = i32x4.splat(0x7fffffff);
  let balance = i32x4.splat(0);
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16) {
    let s = zero;
    let p = columns + o;
    for (let m: u32 = 0; m < count; m++, p += stride) {
      let v = v128.load(p);
      if (cuts) {
        const cut = v128.load32_splat(cuts + ((<usize>m) << 2));
        v = v128.and(v, i32x4.gt_s(v128.and(v, magnitude), cut));
      }
      s = f32x4.add(s, v);
    }
    balance = i32x4.add(i32x4.sub(balance, f32x4.gt(s, zero)), f32x4.lt(s, zero));
  }
  return laneSum(balance);
}
