import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareContent } from '../../server/jobs/same-content';
import { openCheckpoint } from '../../server/tensors/checkpoint';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-same-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A checkpoint of zeros that takes no room on the disk. */
async function sparse(name: string, bytes: number) {
  const header = Buffer.from(
    JSON.stringify({ w: { dtype: 'BF16', shape: [bytes / 2], data_offsets: [0, bytes] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const path = join(folder, name, 'model.safetensors');
  mkdirSync(join(folder, name));
  writeFileSync(path, Buffer.concat([length, header]));
  truncateSync(path, 8 + header.length + bytes);
  return openCheckpoint(join(folder, name));
}

describe('compareContent', () => {
  it('proves that small checkpoints are equal', async () => {
    const [one, other] = [await sparse('a', 4096), await sparse('b', 4096)];
    expect(await compareContent(one, other, { prove: true })).toBe('proven');
    expect(await compareContent(one, other, { prove: false })).toBe('samples');
  });

  it('does not read a large zoo to prove it', async () => {
    const [one, other] = [await sparse('c', 2 ** 33), await sparse('d', 2 ** 33)];
    expect(await compareContent(one, other, { prove: true })).toBe('samples');
  });
});
