import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { MergeError } from '../../server/protocol/merge-error';

/** A folder of its own for one test file, removed when its tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-tensors-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A safetensors file from a header as text or object, and data bytes. */
export function safetensorsBytes(header: unknown, data: Uint8Array): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** Float32 tensors by name, every one with its own constant. */
export function writeModel(
  path: string,
  tensors: Readonly<Record<string, readonly number[]>>,
  value: (name: string, index: number) => number = (_, i) => i,
): void {
  const header: Record<string, unknown> = {};
  const data: Float32Array[] = [];
  let begin = 0;
  for (const [name, shape] of Object.entries(tensors)) {
    const elements = shape.reduce((product, n) => product * n, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, begin + elements * 4] };
    begin += elements * 4;
    data.push(Float32Array.from({ length: elements }, (_, i) => value(name, i)));
  }
  mkdirSync(dirname(path), { recursive: true });
  const bytes = Buffer.concat(data.map((a) => new Uint8Array(a.buffer)));
  writeFileSync(path, safetensorsBytes(header, bytes));
}

/** Expects a `MergeError` with this code whose one sentence matches. */
export async function expectFault(
  action: () => unknown,
  code: string,
  sentence: RegExp,
): Promise<void> {
  let error: unknown;
  try {
    await action();
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof MergeError))
    throw error instanceof Error ? error : new Error('nothing was thrown');
  expect(error.message).toMatch(sentence);
  expect(error.code).toBe(code);
  expect(error.message).not.toMatch(/\.$|\n/);
}
