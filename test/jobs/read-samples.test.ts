import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSamples } from '../../server/jobs/sketch/read-samples';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-mount-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const clusters = [{ start: 0, length: 2, band: 0, round: 0 }];
const request = (file: string) => ({
  info: {
    name: 'w',
    dtype: 'F32' as const,
    shape: [2],
    elements: 2,
    part: 'model' as const,
    file,
    offset: 0,
    byteLength: 8,
  },
  ...{ clusters, clusterStride: 2, bytes: new Uint8Array(8) },
});

it.skipIf(process.platform === 'win32')(
  'gives up a file that never answers, by name and with what to do',
  async () => {
    // To open a pipe that nobody writes to waits for ever, as a file on a mount that has gone does.
    const path = join(folder, 'hanging.safetensors');
    execFileSync('mkfifo', [path]);
    try {
      await expect(readSamples([request(path)], [], { timeoutMs: 100 })).rejects.toMatchObject({
        code: 'MV423',
        fault: 'system',
        message: expect.stringMatching(/hanging.*has not answered.*mount.*try again/) as string,
      });
    } finally {
      closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    }
  },
);

it('names a file that has vanished', async () => {
  const path = join(folder, 'vanished.safetensors');
  await expect(readSamples([request(path)], [])).rejects.toThrow(/vanished/);
});
