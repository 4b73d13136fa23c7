import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { collectDemonstrations } from '../../../server/evaluate/so101/demonstrations';

const folder = mkdtempSync(join(tmpdir(), 'demonstrations-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const options = {
  task: 'push_cube',
  episodes: 1,
  start: 0,
  perturbation: 0.03,
  imageSize: 32,
  every: 5,
  recolour: false,
} as const;

interface Entry {
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function read(file: string) {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Entry>;
  const data = (name: string) =>
    bytes.subarray(
      8 + length + header[name].data_offsets[0],
      8 + length + header[name].data_offsets[1],
    );
  return { bytes, header, data };
}

describe('demonstrations', () => {
  it('hold pictures, joints, commands and cubes of every kept step', async () => {
    const file = join(folder, 'push.safetensors');
    const made = await collectDemonstrations(file, options);
    const { header, bytes, data } = read(file);
    expect(made.bytes).toBe(bytes.length);
    expect(header['images']?.shape).toEqual([made.frames, 2, 32, 32, 3]);
    expect(header['command']?.shape).toEqual([made.frames, 6]);
    expect(header['__metadata__']).toMatchObject({ task: 'push_cube', first_seed: '0' });
    // A cube that a push spawns is turned by 22.5° at most; there is no blue one to be turned.
    const [red = 0, blue] = new Float32Array(Uint8Array.from(data('yaw').subarray(0, 8)).buffer);
    expect(Math.abs(red)).toBeGreaterThan(0);
    expect(Math.abs(red)).toBeLessThan(Math.PI / 8 + 0.01);
    expect(blue).toBe(0);
    // Where the cube is, and only there, the picture depends on its colour.
    const cube = data('cube').subarray(0, 32 * 32);
    const covered = cube.filter((value) => value > 60).length;
    expect(covered).toBeGreaterThan(1);
    expect(covered).toBeLessThan(20);
  });

  it('are the same bytes for the same seed, and others for the next', async () => {
    const files = ['a', 'b', 'c'].map((name) => join(folder, name));
    await collectDemonstrations(files[0], options);
    await collectDemonstrations(files[1], options);
    await collectDemonstrations(files[2], { ...options, start: 1 });
    const [a, b, c] = files.map((file) => readFileSync(file));
    expect(b.equals(a)).toBe(true);
    expect(c.equals(a)).toBe(false);
  });

  it('stop when they are cancelled', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(
      collectDemonstrations(join(folder, 'none'), { ...options, signal: controller.signal }),
    ).rejects.toThrow('cancelled');
  });
});
