/**
 * Bits of |τ| > λ·|τ_merge − τ|, least significant first. Returns how many are set and adds
 * Σ ((bit ? τ_merge : 0) − τ)² to `away` (f64).
 */
export function taskMask(tau: usize, merged: usize, lambda: f32, bits: usize, n: u32, away: usize): u32 {
  const l = f32x4.splat(lambda);
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  let active: u32 = 0;
  for (let i: u32 = 0; i < n; i += 32) {
    let word: u32 = 0;
    let o = <usize>i << 2;
    for (let shift: u32 = 0; shift < 32; shift += 4, o += 16) {
      const t = v128.load(tau + o);
      const difference = f32x4.sub(v128.load(merged + o), t);
      const on = f32x4.gt(f32x4.abs(t), f32x4.mul(l, f32x4.abs(difference)));
      const left = v128.bitselect(difference, t, on);
      const x = f64x2.promote_low_f32x4(left);
      const y = f64x2.promote_low_f32x4(i32x4.shuffle(left, left, 2, 3, 2, 3));
      even = f64x2.add(even, f64x2.mul(x, x));
      odd = f64x2.add(odd, f64x2.mul(y, y));
      word |= <u32>i32x4.bitmask(on) << shift;
    }
    active += popcnt<u32>(word);
    store<u32>(bits + (<usize>i >> 3), word);
  }
  const total = f64x2.extract_lane(even, 0) + f64x2.extract_lane(even, 1) +
    (f64x2.extract_lane(odd, 0) + f64x2.extract_lane(odd, 1));
  store<f64>(away, load<f64>(away) + total);
  return active;
}

/**
 * How many positions are active in exactly 0 … count masks, added to `histogram` (u32), by counters
 * held in bit planes. With `atLeast` > 0 every mask becomes the positions active in that many.
 * `bits`: masks one after the other, `stride` bytes apart; n bits each.
 */
export function coverage(
  bits: usize, stride: usize, count: u32, n: u32, histogram: usize, atLeast: u32,
): void {
  let ones: u32 = 0, twos: u32 = 0, threes: u32 = 0;
  for (let i: u32 = 0; i < n; i += 32) {
    const at = bits + (<usize>i >> 3);
    let p0: u32 = 0, p1: u32 = 0, p2: u32 = 0, p3: u32 = 0, p4: u32 = 0, p5: u32 = 0, p6: u32 = 0;
    for (let m: u32 = 0; m < count; m++) {
      let carry = load<u32>(at + <usize>m * stride);
      let next = p0 & carry; p0 ^= carry; carry = next;
      next = p1 & carry; p1 ^= carry; carry = next;
      if (carry) {
        next = p2 & carry; p2 ^= carry; carry = next;
        next = p3 & carry; p3 ^= carry; carry = next;
        next = p4 & carry; p4 ^= carry; carry = next;
        next = p5 & carry; p5 ^= carry; carry = next;
        p6 ^= carry;
      }
    }
    if (count <= 3 && !atLeast) {
      ones += popcnt<u32>(p0 & ~p1);
      twos += popcnt<u32>(p1 & ~p0);
      threes += popcnt<u32>(p0 & p1);
      continue;
    }
    let kept: u32 = 0;
    for (let c: u32 = 0; c <= count; c++) {
      const equal = (c & 1 ? p0 : ~p0) & (c & 2 ? p1 : ~p1) & (c & 4 ? p2 : ~p2) & (c & 8 ? p3 : ~p3) &
        (c & 16 ? p4 : ~p4) & (c & 32 ? p5 : ~p5) & (c & 64 ? p6 : ~p6);
      const slot = histogram + (<usize>c << 2);
      store<u32>(slot, load<u32>(slot) + popcnt<u32>(equal));
      if (c >= atLeast) kept |= equal;
    }
    if (atLeast)
      for (let m: u32 = 0; m < count; m++) store<u32>(at + <usize>m * stride, kept);
  }
  if (count <= 3 && !atLeast) {
    store<u32>(histogram, load<u32>(histogram) + n - ones - twos - threes);
    store<u32>(histogram, load<u32>(histogram, 4) + ones, 4);
    if (count > 1) store<u32>(histogram, load<u32>(histogram, 8) + twos, 8);
    if (count > 2) store<u32>(histogram, load<u32>(histogram, 12) + threes, 12);
  }
}

// @ts-ignore: decorator
@inline
function lanes(bits: u32, selector: v128): v128 {
  const on = v128.and(i32x4.splat(bits), selector);
  return i32x4.eq(on, selector);
}

/** target = base + (bit ? merged : 0). */
export function applyMask(base: usize, merged: usize, bits: usize, target: usize, n: u32): void {
  const low = i32x4(1, 2, 4, 8);
  const high = i32x4(16, 32, 64, 128);
  for (let i: u32 = 0; i < n; i += 8) {
    const byte = <u32>load<u8>(bits + (<usize>i >> 3));
    const o = <usize>i << 2;
    const a = v128.and(v128.load(merged + o), lanes(byte, low));
    const b = v128.and(v128.load(merged + o, 16), lanes(byte, high));
    v128.store(target + o, f32x4.add(v128.load(base + o), a));
    v128.store(target + o, f32x4.add(v128.load(base + o, 16), b), 16);
  }
}

/** Σ ((bit ? merged : 0) − τ)²: difference in float32, squares in float64, four partial sums as in `metrics`. */
export function distance(tau: usize, merged: usize, bits: usize, n: u32): f64 {
  const low = i32x4(1, 2, 4, 8);
  const high = i32x4(16, 32, 64, 128);
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (let i: u32 = 0; i < n; i += 8) {
    const byte = <u32>load<u8>(bits + (<usize>i >> 3));
    const o = <usize>i << 2;
    const a = f32x4.sub(v128.and(v128.load(merged + o), lanes(byte, low)), v128.load(tau + o));
    const b = f32x4.sub(v128.and(v128.load(merged + o, 16), lanes(byte, high)), v128.load(tau + o, 16));
    const a0 = f64x2.promote_low_f32x4(a);
    const a1 = f64x2.promote_low_f32x4(i32x4.shuffle(a, a, 2, 3, 2, 3));
    const b0 = f64x2.promote_low_f32x4(b);
    const b1 = f64x2.promote_low_f32x4(i32x4.shuffle(b, b, 2, 3, 2, 3));
    s0 = f64x2.add(s0, f64x2.mul(a0, a0));
    s1 = f64x2.add(s1, f64x2.mul(a1, a1));
    s0 = f64x2.add(s0, f64x2.mul(b0, b0));
    s1 = f64x2.add(s1, f64x2.mul(b1, b1));
  }
  return f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1) +
    (f64x2.extract_lane(s1, 0) + f64x2.extract_lane(s1, 1));
}
