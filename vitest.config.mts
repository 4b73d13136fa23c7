import { env } from 'node:process';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Mocha runs these two folders: inside the extension host, and against the installed package.
    exclude: ['test/editor/**', 'test/workbench/**', 'node_modules/**'],
    // Tests drive real processes and browsers; on a shared machine one may lose a race once.
    retry: env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
