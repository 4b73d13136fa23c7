/**
 * τ_m = θ_m − θ_0, widened to float32 and subtracted once (merge-methods §3).
 * All arrays have one length; `into` may be `expert`.
 */
export function taskVector(expert: Float32Array, base: Float32Array, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = expert[i] - base[i];
}
