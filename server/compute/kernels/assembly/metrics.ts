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

/**
 * Three columns at once: into `out` (9 f64, set) Σ a², Σ b², Σ c², Σ ab, Σ ac, Σ bc, and after them the
 * numbers of negative products ab, ac, bc. The same sums as `sumSquares` and `dot` give.
 */
export function gram3(a: usize, b: usize, c: usize, n: u32, out: usize): void {
  const zero = f64x2.splat(0);
  let aa0 = zero, aa1 = zero, bb0 = zero, bb1 = zero, cc0 = zero, cc1 = zero;
  let ab0 = zero, ab1 = zero, ac0 = zero, ac1 = zero, bc0 = zero, bc1 = zero;
  let nab = zero, nac = zero, nbc = zero;
  for (let o: usize = 0, end = <usize>n << 2; o < end; o += 16) {
    const va = v128.load(a + o);
    const vb = v128.load(b + o);
    const vc = v128.load(c + o);
    const x0 = f64x2.promote_low_f32x4(va);
    const y0 = f64x2.promote_low_f32x4(vb);
    const z0 = f64x2.promote_low_f32x4(vc);
    aa0 = f64x2.add(aa0, f64x2.mul(x0, x0));
    bb0 = f64x2.add(bb0, f64x2.mul(y0, y0));
    cc0 = f64x2.add(cc0, f64x2.mul(z0, z0));
    let p = f64x2.mul(x0, y0);
    ab0 = f64x2.add(ab0, p);
    nab = i64x2.sub(nab, f64x2.lt(p, zero));
    p = f64x2.mul(x0, z0);
    ac0 = f64x2.add(ac0, p);
    nac = i64x2.sub(nac, f64x2.lt(p, zero));
    p = f64x2.mul(y0, z0);
    bc0 = f64x2.add(bc0, p);
    nbc = i64x2.sub(nbc, f64x2.lt(p, zero));
    const x1 = upper(va);
    const y1 = upper(vb);
    const z1 = upper(vc);
    aa1 = f64x2.add(aa1, f64x2.mul(x1, x1));
    bb1 = f64x2.add(bb1, f64x2.mul(y1, y1));
    cc1 = f64x2.add(cc1, f64x2.mul(z1, z1));
    p = f64x2.mul(x1, y1);
    ab1 = f64x2.add(ab1, p);
    nab = i64x2.sub(nab, f64x2.lt(p, zero));
    p = f64x2.mul(x1, z1);
    ac1 = f64x2.add(ac1, p);
    nac = i64x2.sub(nac, f64x2.lt(p, zero));
    p = f64x2.mul(y1, z1);
    bc1 = f64x2.add(bc1, p);
    nbc = i64x2.sub(nbc, f64x2.lt(p, zero));
  }
  store<f64>(out, joined(aa0, aa1));
  store<f64>(out, joined(bb0, bb1), 8);
  store<f64>(out, joined(cc0, cc1), 16);
  store<f64>(out, joined(ab0, ab1), 24);
  store<f64>(out, joined(ac0, ac1), 32);
  store<f64>(out, joined(bc0, bc1), 40);
  store<f64>(out, <f64>(i64x2.extract_lane(nab, 0) + i64x2.extract_lane(nab, 1)), 48);
  store<f64>(out, <f64>(i64x2.extract_lane(nac, 0) + i64x2.extract_lane(nac, 1)), 56);
  store<f64>(out, <f64>(i64x2.extract_lane(nbc, 0) + i64x2.extract_lane(nbc, 1)), 64);
}
