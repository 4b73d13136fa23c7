import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probeProvider } from '../../server/compute/providers';
import { loadRemotePolicy } from '../../server/policy/remote-policy';
import { fixtures, golden, observation, relativeError } from './golden';

/** The software renderer that Mesa brings, for machines without a GPU. */
const manifests = '/usr/share/vulkan/icd.d';
const lavapipe = existsSync(manifests)
  ? readdirSync(manifests).find((name) => name.startsWith('lvp_icd'))
  : undefined;

let report = await probeProvider('webgpu');
if (!report.usable && lavapipe !== undefined) {
  process.env['VK_DRIVER_FILES'] = join(manifests, lavapipe);
  report = await probeProvider('webgpu');
}
const missing = report.usable
  ? undefined
  : `${report.reason ?? ''} (a GPU, or lavapipe of Mesa 25 or newer, would do; ${lavapipe ?? 'no lavapipe is installed'})`;
if (missing !== undefined) console.warn(`SKIPPED parity on WebGPU: ${missing}`);

describe.skipIf(missing !== undefined)('the policy on WebGPU', () => {
  it('gives the reference scores and actions', { timeout: 300_000 }, async () => {
    const policy = await loadRemotePolicy(join(fixtures, 'merged'), {
      base: join(fixtures, 'base'),
      device: 'webgpu',
    });
    expect(policy.device).toBe('webgpu');
    for (const { obs, released } of golden.router) {
      const routing = await policy.route(observation(obs));
      expect(relativeError(routing.pairings.same.scores, released.logits)).toBeLessThan(1e-3);
      const chunk = await policy.act(observation(obs), released.chosen);
      const run = golden.runs.find(
        (r) => r.obs === obs && r.policy === `merged:${released.chosen}`,
      )!;
      const ours = chunk.normalized.flatMap((row) => [...row]);
      expect(relativeError(ours, run.actions_normalized.flat())).toBeLessThan(1e-3);
    }
    await policy.close();
  });
});
