// SIMD kernels of the merge. Pointers are byte addresses in the imported memory, aligned to 16;
// counts are multiples of 32, because callers pad with zeros. Every step is one float32 operation in
// the order of the plain TypeScript twin (server/engine/stages.ts), so that both give the same bits.
export * from './convert';
export * from './combine';
export * from './masks';
export * from './metrics';
export * from './select';
