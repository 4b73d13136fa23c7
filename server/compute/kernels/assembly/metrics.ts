// Sums in float64 over four partial sums, element i to sum i mod 4, joined as (0 + 1) + (2 + 3).

// @ts-ignore: decorator
@inline
function upper(v: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3));
}

// @ts-ignore: decorator
@inline
function joined(s0: v128, s1: v128): f64 {
  return f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1) +
    (f64x2.extract_lane(s1, 0) + f64x2.extract_lane(s1, 1));
}

/** Σ a². */
export function sumSquares(a: usize, n: u32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (let o: usize = 0, end = <usize>n << 2; o < end; o += 16) {
    const v = v128.load(a + o);
    const x = f64x2.promote_low_f32x4(v);
    const y = upper(v);
    s0 = f64x2.add(s0, f64x2.mul(x, x));
    s1 = f64x2.add(s1, f64x2.mul(y, y));
  }
  return joined(s0, s1);
}

/** Σ a·b, and into `conflicts` (f64, added) how many products are negative. */
export function dot(a: usize, b: usize, n: u32, conflicts: usize): f64 {
  const zero = f64x2.splat(0);
  let s0 = zero;
  let s1 = zero;
  let c = i64x2.splat(0);
  for (let o: usize = 0, end = <usize>n << 2; o < end; o += 16) {
    const v = v128.load(a + o);
    const w = v128.load(b + o);
    const x = f64x2.mul(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(w));
    const y = f64x2.mul(upper(v), upper(w));
    s0 = f64x2.add(s0, x);
    s1 = f64x2.add(s1, y);
    c = i64x2.sub(c, f64x2.lt(x, zero));
    c = i64x2.sub(c, f64x2.lt(y, zero));
  }
  const count = i64x2.extract_lane(c, 0) + i64x2.extract_lane(c, 1);
  store<f64>(conflicts, load<f64>(conflicts) + <f64>count);
  return joined(s0, s1);
}
