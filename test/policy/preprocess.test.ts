import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jpegRoundTrip } from '../../server/policy/jpeg';
import { decodePicture } from '../../server/policy/pictures';
import { Preprocessor } from '../../server/policy/preprocess';
import type { PolicyConfig } from '../../server/policy/config';
import type { Picture } from '../../server/policy/types';
import { fixtures, observation, readTensors, relativeError } from './golden';

/** The parts of a configuration that pictures depend on. */
function config(imageSize: number, entry: { jpeg: boolean; center_crop: number }): PolicyConfig {
  const dino = {
    mean: [0.484375, 0.455078125, 0.40625],
    std: [0.228515625, 0.2236328125, 0.224609375],
  };
  const siglip = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  return { imageSize, entry, cameras: ['full', 'wrist'], normalization: [dino, siglip] } as never;
}

function picture(name: string): Picture {
  return decodePicture(readFileSync(join(fixtures, 'obs', name)), name);
}

/** Share of bytes that differ, and the largest difference. */
function difference(a: Picture, b: Picture): { share: number; most: number; mean: number } {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let count = 0;
  let most = 0;
  let sum = 0;
  a.data.forEach((value, i) => {
    const gap = Math.abs(value - b.data[i]);
    if (gap > 0) count++;
    most = Math.max(most, gap);
    sum += gap;
  });
  return { share: count / a.data.length, most, mean: sum / a.data.length };
}

const cases = [0, 1, 2].flatMap((obs) => ['full', 'wrist'].map((camera) => `obs${obs}/${camera}`));
const sizes = [
  ...cases.map((name) => ({ name, size: 56, suffix: '' })),
  { name: 'obs0/full', size: 224, suffix: '_224' },
  { name: 'obs0/wrist', size: 224, suffix: '_224' },
];

describe('pictures', () => {
  for (const { name, size, suffix } of sizes) {
    it(`resizes ${name} to ${size} as the reference does`, () => {
      const plain = new Preprocessor(config(size, { jpeg: false, center_crop: 1 }));
      const { share, most } = difference(
        plain.resize(picture(`${name}_raw.png`)),
        picture(`${name}_policy_nojpeg${suffix}.png`),
      );
      expect(most).toBeLessThanOrEqual(1);
      expect(share).toBeLessThan(0.0015);
    });

    it(`crops ${name} at ${size} byte for byte`, () => {
      const cropping = new Preprocessor(config(size, { jpeg: false, center_crop: 0.9 }));
      const policy = picture(`${name}_policy${suffix}.png`);
      const { pictures } = cropping.prepare([policy, policy]);
      expect(difference(pictures[0], picture(`${name}_crop${suffix}.png`)).share).toBe(0);
    });

    it(`takes ${name} through JPEG to ${size} closer than not`, () => {
      const raw = picture(`${name}_raw.png`);
      const expected = picture(`${name}_policy${suffix}.png`);
      const [withJpeg, without] = [true, false].map((jpeg) =>
        difference(new Preprocessor(config(size, { jpeg, center_crop: 1 })).resize(raw), expected),
      );
      expect(withJpeg.mean).toBeLessThan(without.mean / 4);
    });
  }

  it('repeats the JPEG step but for rounding', () => {
    for (const camera of ['full', 'wrist']) {
      const raw = picture(`obs0/${camera}_raw.png`);
      const { mean, most } = difference(jpegRoundTrip(raw), picture(`obs0/${camera}_jpeg.png`));
      expect(mean).toBeLessThan(0.25);
      expect(most).toBeLessThanOrEqual(8);
    }
  });

  it('gives the reference pixel values', async () => {
    const expected = await readTensors('runs/pixel_values.safetensors');
    const preprocessor = new Preprocessor(config(56, { jpeg: true, center_crop: 0.9 }));
    for (const index of [0, 1, 2]) {
      const { pixels } = preprocessor.prepare(observation(index).images);
      const { data } = expected.get(`obs${index}.pixel_values`)!;
      expect(relativeError(pixels, data)).toBeLessThan(1e-6);
    }
  });
});
