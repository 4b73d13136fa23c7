import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createRunWatch } from '../../server/lsp/run-watch';
import { RunDirectory } from '../../server/runs/run-directory';
import { until } from './client';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-watch-'));
const run = RunDirectory.create({
  ...{ path: join(folder, 'cubes-1'), name: 'cubes', command: ['merge'], version: '0' },
  ...{ device: 'cpu', recipe: Buffer.from('version: 1\n') },
});

function advance(done: number): void {
  run.emit({ type: 'progress', phase: 'merge', done, total: 10, unit: 'bytes' });
}

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a run that works', () => {
  it('is told about to its last event, also where that follows another at once', async () => {
    const told: (number | undefined)[] = [];
    const watch = createRunWatch({
      changed: ({ progress }) => {
        told.push(progress?.done);
        if (progress?.done === 1) advance(10);
      },
      removed: () => undefined,
      events: () => undefined,
    });
    await watch.watch(run.path);
    advance(1);
    await until('the last event', () => told.includes(10) || undefined);
    watch.dispose();
    expect(told.slice(-2)).toEqual([1, 10]);
  });
});
