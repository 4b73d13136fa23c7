// Builds every bundle: kernels first (their bytes are part of the bundles), then Node and browser code.
import { build } from 'esbuild';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildKernels } from './kernels.mjs';
import { embedLinearAlgebra } from './linalg.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

const entries = {
  extension: 'src/extension.ts',
  server: 'server/lsp/main.ts',
  cli: 'server/cli/main.ts',
  worker: 'server/jobs/worker.ts',
  sketch: 'server/jobs/sketch/thread.ts',
  'policy-host': 'server/policy/host.ts',
  'rollout-worker': 'server/evaluate/rollout-worker.ts',
};

/** Writes the bundles into `outdir`; for packages minified and without source maps. */
export async function buildAll({ production = false, outdir = 'dist' } = {}) {
  await buildKernels();
  embedLinearAlgebra();
  const shared = {
    absWorkingDir: root,
    bundle: true,
    logLevel: 'warning',
    sourcemap: production ? false : 'linked',
    minify: production,
    define: { MERGEVLA_VERSION: JSON.stringify(version) },
  };
  const panels = readdirSync(`${root}webview`).filter((name) =>
    existsSync(`${root}webview/${name}/main.ts`),
  );
  await Promise.all([
    build({
      ...shared,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      external: ['vscode', 'onnxruntime-node', '@mujoco/mujoco'],
      entryPoints: Object.entries(entries)
        .filter(([, file]) => existsSync(root + file))
        .map(([out, file]) => ({ out, in: file })),
      outdir,
    }),
    panels.length > 0 &&
      build({
        ...shared,
        platform: 'browser',
        target: 'es2022',
        format: 'iife',
        entryPoints: panels.map((name) => ({ out: name, in: `webview/${name}/main.ts` })),
        outdir: join(outdir, 'webview'),
      }),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildAll({ production: process.argv.includes('--production') });
