import type { RandomKey } from './merge/method';

/**
 * Counter-based draws: a hash of (seed, tensor, task, element), so that neither threads, shards nor
 * order matter. Two rounds of the 32-bit finalizer of MurmurHash3 over index and key.
 */
export function randomKey(seed: number, tensor: string, task: string): RandomKey {
  const text = `${String(seed)}\u0000${tensor}\u0000${task}`;
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return { low: mix(low), high: mix(high ^ low) };
}

/** Uniform 32 bits for one element of a tensor. */
export function randomWord(key: RandomKey, index: number): number {
  const upper = Math.floor(index / 0x100000000);
  const first = mix((index | 0) ^ key.low);
  return mix(first + Math.imul(upper, 0x9e3779b1) + key.high) >>> 0;
}

function mix(value: number): number {
  let x = value | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
