/**
 * Counts the magnitudes of a column by their float32 bits: returns how many are at `high` or above,
 * and adds to `histogram` (u32) those in [low, high), in bins of 2^shift patterns.
 */
export function tally(
  column: usize,
  n: u32,
  low: u32,
  high: u32,
  shift: u32,
  histogram: usize,
): u32 {
  const lows = i32x4.splat(low);
  const highs = i32x4.splat(high);
  const magnitude = i32x4.splat(0x7fffffff);
  let above = i32x4.splat(0);
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16) {
    const bits = v128.and(v128.load(column + o), magnitude);
    const over = i32x4.ge_s(bits, highs);
    above = i32x4.sub(above, over);
    let inside = i32x4.bitmask(v128.andnot(i32x4.ge_s(bits, lows), over));
    while (inside) {
      const lane = ctz<i32>(inside);
      inside &= inside - 1;
      const value = load<u32>(column + o + ((<usize>lane) << 2)) & 0x7fffffff;
      const slot = histogram + ((<usize>((value - low) >> shift)) << 2);
      store<u32>(slot, load<u32>(slot) + 1);
    }
  }
  return (
    i32x4.extract_lane(above, 0) +
    i32x4.extract_lane(above, 1) +
    i32x4.extract_lane(above, 2) +
    i32x4.extract_lane(above, 3)
  );
}

/**
 * Keeps magnitudes whose bits are above `threshold` and the first `remaining` that equal it, and
 * writes zeros for the rest. Returns how many equal ones were kept. `target` may be `column`.
 */
export function trim(column: usize, target: usize, n: u32, threshold: u32, remaining: u32): u32 {
  const limit = i32x4.splat(threshold);
  const magnitude = i32x4.splat(0x7fffffff);
  let used: u32 = 0;
  for (let o: usize = 0, end = (<usize>n) << 2; o < end; o += 16) {
    const v = v128.load(column + o);
    const bits = v128.and(v, magnitude);
    let keep = i32x4.gt_s(bits, limit);
    if (used < remaining) {
      const equal = i32x4.eq(bits, limit);
      if (v128.any_true(equal)) {
        const found = popcnt<u32>(i32x4.bitmask(equal));
        if (used + found <= remaining) {
          keep = v128.or(keep, equal);
          used += found;
        } else {
          let left = remaining - used;
          let chosen = i32x4.bitmask(equal);
          let kept: i32 = 0;
          while (left > 0) {
            kept |= chosen & -chosen;
            chosen &= chosen - 1;
            left--;
          }
          const selector = i32x4(1, 2, 4, 8);
          keep = v128.or(keep, i32x4.eq(v128.and(i32x4.splat(kept), selector), selector));
          used = remaining;
        }
      }
    }
    v128.store(target + o, v128.and(v, keep));
  }
  return used;
}
