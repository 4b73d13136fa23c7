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

// @ts-ignore: decorator
@inline
function isNonZero(v: v128): v128 {
  return f32x4.gt(f32x4.abs(v), f32x4.splat(0));
}

/** Of positions in `both`, those whose signs differ. */
// @ts-ignore: decorator
@inline
function opposite(v: v128, w: v128, both: v128): v128 {
  return v128.and(both, i32x4.shr_s(v128.xor(v, w), 31));
}

// @ts-ignore: decorator
@inline
function total(counts: v128): f64 {
  return <f64>(<u32>i32x4.extract_lane(counts, 0)) + <f64>(<u32>i32x4.extract_lane(counts, 1)) +
    <f64>(<u32>i32x4.extract_lane(counts, 2)) + <f64>(<u32>i32x4.extract_lane(counts, 3));
}

/** Σ a·b; adds to `signs` (2 f64) how many pairs have opposite signs and in how many both are non-zero. */
export function dot(a: usize, b: usize, n: u32, signs: usize): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let against = i32x4.splat(0);
  let nonZero = i32x4.splat(0);
  for (let o: usize = 0, end = <usize>n << 2; o < end; o += 16) {
    const v = v128.load(a + o);
    const w = v128.load(b + o);
    s0 = f64x2.add(s0, f64x2.mul(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(w)));
    s1 = f64x2.add(s1, f64x2.mul(upper(v), upper(w)));
    const both = v128.and(isNonZero(v), isNonZero(w));
    nonZero = i32x4.sub(nonZero, both);
    against = i32x4.sub(against, opposite(v, w, both));
  }
  store<f64>(signs, load<f64>(signs) + total(against));
  store<f64>(signs, load<f64>(signs, 8) + total(nonZero), 8);
  return joined(s0, s1);
}

/**
 * Three columns at once: into `out` (12 f64, set) Σ a², Σ b², Σ c², Σ ab, Σ ac, Σ bc, after them for the
 * pairs ab, ac, bc the numbers of opposite signs, and then the numbers of positions where both are
 * non-zero. The same as `sumSquares` and `dot` give.
 */
export function gram3(a: usize, b: usize, c: usize, n: u32, out: usize): void {
  const zero = f64x2.splat(0);
  let aa0 = zero, aa1 = zero, bb0 = zero, bb1 = zero, cc0 = zero, cc1 = zero;
  let ab0 = zero, ab1 = zero, ac0 = zero, ac1 = zero, bc0 = zero, bc1 = zero;
  let nab = zero, nac = zero, nbc = zero;
  let zab = zero, zac = zero, zbc = zero;
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
    ab0 = f64x2.add(ab0, f64x2.mul(x0, y0));
    ac0 = f64x2.add(ac0, f64x2.mul(x0, z0));
    bc0 = f64x2.add(bc0, f64x2.mul(y0, z0));
    const x1 = upper(va);
    const y1 = upper(vb);
    const z1 = upper(vc);
    aa1 = f64x2.add(aa1, f64x2.mul(x1, x1));
    bb1 = f64x2.add(bb1, f64x2.mul(y1, y1));
    cc1 = f64x2.add(cc1, f64x2.mul(z1, z1));
    ab1 = f64x2.add(ab1, f64x2.mul(x1, y1));
    ac1 = f64x2.add(ac1, f64x2.mul(x1, z1));
    bc1 = f64x2.add(bc1, f64x2.mul(y1, z1));
    const na = isNonZero(va);
    const nb = isNonZero(vb);
    const nc = isNonZero(vc);
    let both = v128.and(na, nb);
    zab = i32x4.sub(zab, both);
    nab = i32x4.sub(nab, opposite(va, vb, both));
    both = v128.and(na, nc);
    zac = i32x4.sub(zac, both);
    nac = i32x4.sub(nac, opposite(va, vc, both));
    both = v128.and(nb, nc);
    zbc = i32x4.sub(zbc, both);
    nbc = i32x4.sub(nbc, opposite(vb, vc, both));
  }
  store<f64>(out, joined(aa0, aa1));
  store<f64>(out, joined(bb0, bb1), 8);
  store<f64>(out, joined(cc0, cc1), 16);
  store<f64>(out, joined(ab0, ab1), 24);
  store<f64>(out, joined(ac0, ac1), 32);
  store<f64>(out, joined(bc0, bc1), 40);
  store<f64>(out, total(nab), 48);
  store<f64>(out, total(nac), 56);
  store<f64>(out, total(nbc), 64);
  store<f64>(out, total(zab), 72);
  store<f64>(out, total(zac), 80);
  store<f64>(out, total(zbc), 88);
}
