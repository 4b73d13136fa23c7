// `npm run test:gpu`: every accelerator that onnxruntime finds runs the parity data, and speed is
// measured beside the processor's. Without one it says so and ends well.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const fixtures = join(root, 'test/fixtures/policy');
const golden = JSON.parse(readFileSync(join(fixtures, 'golden.json'), 'utf8'));
/** Largest error of the normalised actions and of the scores, relative to the largest entry. */
const limit = 1e-3;

const bundle = join(root, 'dist/test-gpu.cjs');
await build({
  stdin: {
    contents: `
      export { loadPolicy } from './server/policy/policy';
      export { decodePicture } from './server/policy/pictures';
      export { probeProviders } from './server/compute/providers';`,
    resolveDir: root,
    loader: 'ts',
  },
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['onnxruntime-node'],
  logLevel: 'error',
});
const { loadPolicy, decodePicture, probeProviders } = createRequire(import.meta.url)(bundle);

function observation(index) {
  const { instruction, state } = golden.observations[index];
  const images = ['full', 'wrist'].map((camera) => {
    const path = join(fixtures, `obs/obs${index}/${camera}_policy.png`);
    return decodePicture(readFileSync(path), path);
  });
  return { images, instruction, proprio: state };
}

function error(actual, expected) {
  const top = Math.max(1, ...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]))) / top;
}

async function measure(device, compose) {
  const policy = await loadPolicy(join(fixtures, 'merged'), {
    base: join(fixtures, 'base'),
    device,
    compose,
  });
  let scores = 0;
  let actions = 0;
  for (const { obs, released } of golden.router) {
    const seen = observation(obs);
    const routing = await policy.route(seen);
    scores = Math.max(scores, error(routing.pairings.same.scores, released.logits));
    for (const run of golden.runs.filter((r) => r.obs === obs && r.policy.startsWith('merged'))) {
      const chunk = await policy.act(seen, run.policy.slice('merged:'.length));
      const ours = chunk.normalized.flatMap((row) => [...row]);
      actions = Math.max(actions, error(ours, run.actions_normalized.flat()));
    }
  }
  const started = performance.now();
  for (let i = 0; i < 10; i++) await policy.act(observation(0), policy.tasks[0]);
  const milliseconds = (performance.now() - started) / 10;
  await policy.close();
  return { scores, actions, milliseconds };
}

const reports = await probeProviders();
const usable = reports.filter(({ provider, usable: works }) => provider !== 'cpu' && works);
for (const { provider, reason } of reports)
  if (reason) console.log(`${provider} is not usable: ${reason}`);
if (usable.length === 0) {
  console.log('skipped: onnxruntime finds no accelerator on this machine');
  process.exit(0);
}
let failed = false;
console.log('device   weights   score error  action error  ms a step');
for (const device of ['cpu', ...usable.map(({ provider }) => provider)])
  for (const compose of [true, false]) {
    const { scores, actions, milliseconds } = await measure(device, compose);
    const cells = [scores.toExponential(1), actions.toExponential(1), milliseconds.toFixed(1)];
    const [a, b, c] = [cells[0].padStart(11), cells[1].padStart(12), cells[2].padStart(9)];
    console.log(`${device.padEnd(8)} ${compose ? 'composed' : 'masked  '} ${a}  ${b}  ${c}`);
    failed ||= !(scores < limit && actions < limit);
  }
if (failed) console.error(`an error is above ${limit}`);
process.exit(failed ? 1 : 0);
