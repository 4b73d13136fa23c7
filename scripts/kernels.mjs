// Compiles the AssemblyScript kernels and writes their bytes as a TypeScript module, so that every
// bundle, worker and test finds them without a path.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = 'server/compute/kernels/assembly/index.ts';
const module = `${root}server/compute/kernels/wasm.generated.ts`;

export async function buildKernels() {
  if (!existsSync(root + source)) return;
  mkdirSync(`${root}dist`, { recursive: true });
  const { error, stderr } = await asc.main(
    [
      source,
      '--outFile',
      'dist/kernels.wasm',
      '-O3',
      '--runtime',
      'stub',
      '--enable',
      'simd',
      '--importMemory',
      '--noAssert',
    ],
    {},
  );
  if (error) throw new Error(`AssemblyScript: ${error.message}\n${stderr.toString()}`);
  const bytes = readFileSync(`${root}dist/kernels.wasm`);
  const text = `/** Compiled from assembly/ by scripts/kernels.mjs. */\nexport const kernelBytes = '${bytes.toString('base64')}';\n`;
  if (!existsSync(module) || readFileSync(module, 'utf8') !== text) writeFileSync(module, text);
  return statSync(module).size;
}
