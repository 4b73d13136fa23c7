// `npm run bench:panels`: how long the mask panel takes to draw, in a headless browser.
import { build } from 'esbuild';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const outfile = join(root, 'dist/test/panels-bench.js');
await build({
  absWorkingDir: root,
  entryPoints: ['test/webview/redraw.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
  external: ['esbuild', 'playwright-core'],
});
await createRequire(import.meta.url)(outfile).measure();
