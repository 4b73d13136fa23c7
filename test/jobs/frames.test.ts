import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode as encodePng } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectDemonstrations } from '../../server/evaluate/so101/demonstrations';
import { createSo101Environment, type Environment } from '../../server/evaluate/so101/environment';
import { CAMERAS } from '../../server/evaluate/so101/scene';
import { listFrames } from '../../server/jobs/frame-files';
import { readFrame } from '../../server/jobs/frames';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-frames-'));
const demos = join(folder, 'push.safetensors');
let environment: Environment;
beforeAll(async () => {
  environment = await createSo101Environment();
  await collectDemonstrations(demos, {
    task: 'push_cube',
    episodes: 2,
    start: 0,
    perturbation: 0.03,
    imageSize: 16,
    every: 8,
    recolour: false,
  });
}, 60_000);
afterAll(() => {
  environment.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe('a recorded episode', () => {
  it.each(['colours', 'none'] as const)(
    'shows the very bytes that the policy saw first (shift %s)',
    async (shift) => {
      environment.reset('pick_place', 200_017, { shift, imageSize: 24 });
      const seen = environment.observe();
      environment.step([0.3, 0.3, 0.3, 1, 0.3, 0]);
      const recording = environment.recording();
      const path = write(`${shift}.json.gz`, gzipSync(JSON.stringify(recording)));
      const frame = await readFrame(path, 24);
      expect(frame.images.map(({ data }) => data)).toEqual(CAMERAS.map((c) => seen.images[c]));
      expect(frame.proprio).toEqual(seen.proprio);
      expect(frame.instruction).toBe(environment.instruction);
      expect(await listFrames(path)).toEqual([{ id: path, label: 'seed 200017 · pick_place' }]);
    },
  );

  it('that starts elsewhere than its seed shows its own start', async () => {
    environment.reset('push_cube', 200_001, { imageSize: 24 });
    const recording = environment.recording();
    environment.reset('push_cube', 200_002, { imageSize: 24, shift: 'none' });
    const seen = environment.observe();
    const other = { ...environment.recording(), seed: recording.seed };
    const frame = await readFrame(write('moved.json', JSON.stringify(other)), 24);
    // Positions are stored as float32, so that single edge pixels may differ by a step.
    const far = frame.images[0].data.filter((v, i) => Math.abs(v - seen.images.top[i]) > 2);
    expect(far).toHaveLength(0);
  });

  it('of another bench is refused', async () => {
    environment.reset('push_cube', 200_001);
    const foreign = { ...environment.recording(), suite: 'libero' };
    await expect(readFrame(write('foreign.json', JSON.stringify(foreign)), 24)).rejects.toThrow(
      'recorded on another bench',
    );
  });
});

describe('demonstrations', () => {
  it('list the first frame of every episode and give each frame', async () => {
    const list = await listFrames(demos);
    expect(list.map(({ label }) => label.replace(/\d+$/, ''))).toEqual([
      'episode 0 · frame ',
      'episode 1 · frame ',
    ]);
    expect(list[0].id).toBe(`${demos}#0`);
    const [first, second] = await Promise.all(list.map(({ id }) => readFrame(id, 64)));
    expect(first.images.map(({ width, data }) => [width, data.length])).toEqual([
      [16, 768],
      [16, 768],
    ]);
    expect(first.instruction).toBe('push the cube into the white goal zone');
    expect(first.proprio).toHaveLength(6);
    expect(second.images[0].data).not.toEqual(first.images[0].data);
  });

  it('without the frame, or other tensors, are refused', async () => {
    await expect(readFrame(`${demos}#100000`, 64)).rejects.toThrow(/has frames 0 to \d+, and not/);
    const header = Buffer.from('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}  ');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const other = write('other.safetensors', Buffer.concat([length, header, Buffer.alloc(1)]));
    await expect(listFrames(other)).rejects.toMatchObject({ code: 'MV578' });
  });
});

describe('a frame of its own', () => {
  it('names its pictures relative to itself', async () => {
    const data = new Uint8Array(12).fill(7);
    write('top.png', new Uint8Array(encodePng({ width: 2, height: 2, data, channels: 3 })));
    const frame = { images: ['top.png'], instruction: 'push', proprio: [0.5] };
    const path = write('own.json', JSON.stringify(frame));
    const read = await readFrame(path, 64);
    expect(read).toEqual({
      images: [{ width: 2, height: 2, data }],
      instruction: 'push',
      proprio: [0.5],
    });
    expect(await listFrames(path)).toEqual([{ id: path, label: 'own.json' }]);
  });

  it.each([
    ['[]', 'holds no images and instruction'],
    ['{', 'is not JSON'],
    ['{"images": ["gone.png"], "instruction": "x"}', 'cannot be read'],
    ['{"images": [], "instruction": "x", "proprio": "y"}', 'no list of numbers'],
  ])('that is %s is refused', async (text, words) => {
    await expect(readFrame(write('bad.json', text), 64)).rejects.toThrow(words);
  });

  it('that is not there is refused by name', async () => {
    await expect(listFrames(join(folder, 'gone.json'))).rejects.toThrow('gone.json is no file');
  });
});
