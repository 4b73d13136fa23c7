/** bfloat16 to float32: the high half of the word. */
export function widenBf16(source: usize, target: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i += 8) {
    const v = v128.load(source + (<usize>i << 1));
    const o = target + (<usize>i << 2);
    v128.store(o, i32x4.shl(i32x4.extend_low_i16x8_u(v), 16));
    v128.store(o, i32x4.shl(i32x4.extend_high_i16x8_u(v), 16), 16);
  }
}

/** τ = widen(expert) − base. */
export function taskVectorBf16(source: usize, base: usize, target: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i += 8) {
    const v = v128.load(source + (<usize>i << 1));
    const o = <usize>i << 2;
    const low = i32x4.shl(i32x4.extend_low_i16x8_u(v), 16);
    const high = i32x4.shl(i32x4.extend_high_i16x8_u(v), 16);
    v128.store(target + o, f32x4.sub(low, v128.load(base + o)));
    v128.store(target + o, f32x4.sub(high, v128.load(base + o, 16)), 16);
  }
}

// @ts-ignore: decorator
@inline
function roundBf16(f: v128): v128 {
  const up = i32x4.add(i32x4.splat(0x7fff), v128.and(i32x4.shr_u(f, 16), i32x4.splat(1)));
  const rounded = i32x4.shr_u(i32x4.add(f, up), 16);
  return v128.bitselect(i32x4.splat(0x7fc0), rounded, f32x4.ne(f, f));
}

/** float32 to bfloat16, half to even, NaN as 0x7fc0. Returns 1 when a result is not finite. */
export function narrowBf16(source: usize, target: usize, n: u32): u32 {
  let bad = i32x4.splat(0);
  const exponent = i16x8.splat(0x7f80);
  for (let i: u32 = 0; i < n; i += 8) {
    const o = source + (<usize>i << 2);
    const v = i16x8.narrow_i32x4_u(roundBf16(v128.load(o)), roundBf16(v128.load(o, 16)));
    bad = v128.or(bad, i16x8.eq(v128.and(v, exponent), exponent));
    v128.store(target + (<usize>i << 1), v);
  }
  return v128.any_true(bad) ? 1 : 0;
}
