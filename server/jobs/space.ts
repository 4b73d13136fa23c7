import { access, constants, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { threadBytes } from '../engine/plan-cost';
import type { MergePlan } from '../engine/plan-types';
import type { InputFinding } from './input-finding';

/** What the runtime, the code, headers and the report take beside the threads' own memory. */
export const processBytes = 120 << 20;
/** The smallest piece that is read at once, in elements of 4 bytes. */
const leastPiece = 1 << 13;

/** Whether `run.memory` is below what threads need however small their pieces are: MV469. */
export function checkMemory(
  plan: MergePlan,
  memory: number,
  threads: number,
): readonly InputFinding[] {
  const least = processBytes + threads * threadBytes(plan.tasks.length, leastPiece);
  if (memory >= least) return [];
  const mebibytes = (bytes: number): string => `${String(Math.ceil(bytes / 2 ** 20))} MiB`;
  const message = `this merge takes about ${mebibytes(least)} on ${String(threads)} threads, more than run.memory (${mebibytes(memory)})`;
  return [{ code: 'MV469', severity: 'warning', message, recipePath: ['run', 'memory'] }];
}

/**
 * Whether a result of `bytes` can be written to `folder`, which need not exist yet: permission on
 * its nearest parent that does, and room on that disk. Both are findings of `output.directory`.
 */
export async function checkSpace(folder: string, bytes: number): Promise<readonly InputFinding[]> {
  const parent = await nearestExisting(resolve(folder));
  const recipePath = ['output', 'directory'];
  try {
    await access(parent, constants.W_OK);
  } catch {
    const message = `${parent} cannot be written: permission denied`;
    return [{ code: 'MV450', severity: 'error', message, recipePath }];
  }
  const { bavail, bsize } = await statfs(parent);
  const free = bavail * bsize;
  if (bytes <= free) return [];
  const message = `the result needs ${amount(bytes)} and the disk of ${parent} has ${amount(free)} left`;
  return [{ code: 'MV451', severity: 'error', message, recipePath }];
}

/** What the files below a folder take; 0 where there is none. */
export async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await access(path, constants.F_OK);
    return path;
  } catch {
    const parent = dirname(path);
    return parent === path ? path : nearestExisting(parent);
  }
}

function amount(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${bytes} bytes`;
}
