import { expect, it } from 'vitest';
import { createSo101Environment } from '../../../server/evaluate/so101/environment';
import { CAMERAS } from '../../../server/evaluate/so101/scene';
import { PosedBodies } from '../../../webview/success-rates/bodies';

it('a replay draws the pictures that the policy was given', async () => {
  const environment = await createSo101Environment();
  const seen: { step: number; images: Record<string, Uint8Array> }[] = [];
  environment.reset('stack_cube', 300_007);
  const start = environment.observe().proprio;
  for (let step = 0; step <= 12; step += 1) {
    if (step % 6 === 0) seen.push({ step, images: { ...environment.observe().images } });
    environment.step(start.map((angle, joint) => angle + (joint === 5 ? 0.02 : 0.01) * step));
  }
  const bodies = new PosedBodies(environment.recording());
  for (const { step, images } of seen)
    for (const camera of CAMERAS) {
      const given = images[camera] ?? new Uint8Array();
      const drawn = bodies.picture(camera, step, 64) ?? new Uint8Array();
      expect(drawn.length).toBe(given.length);
      const off = given.filter((value, i) => Math.abs(value - (drawn[i] ?? 0)) > 1).length;
      // Positions are kept in 32 bits, and the simulator's poses are those before its last substep, so a
      // ray may fall on the other side of an edge.
      expect(off / given.length, `${camera} at ${String(step)}`).toBeLessThan(0.01);
      expect(new Set(given).size).toBeGreaterThan(10);
    }
  expect(bodies.picture('nose', 0, 64)).toBeUndefined();
  environment.dispose();
});
