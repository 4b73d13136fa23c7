import { spawn } from 'node:child_process';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { JobStarted, JobStartParams } from '../protocol/methods';
import { MergeError } from '../protocol/merge-error';
import { resolveRecipe } from '../recipe/resolve';
import { runId } from '../runs/names';
import { readRun } from '../runs/read';
import type { ServerContext } from './context';
import { analyse } from './documents';
import { readText } from './read-text';

/** How long a started job may take until its run directory is there. */
const appearMs = 10_000;

/**
 * Starts `mergevla` as a process of its own group without pipes to us, so that it outlives the server and
 * the window. Everything it has to say is in its run directory; what it prints before that one exists is
 * in a log beside it.
 */
export async function startJob(
  context: ServerContext,
  { action, uri, run, device }: JobStartParams,
): Promise<JobStarted> {
  const { session } = context;
  if (!session.trusted)
    throw new MergeError('MV594', 'jobs run only in a trusted workspace', { fault: 'usage' });
  const recipe = context.documents.get(uri) ?? analyse(uri, await readText(uri));
  if (recipe.path === undefined)
    throw new MergeError('MV592', 'the recipe has to be saved to a file first', { fault: 'usage' });
  const resolved = resolveRecipe(recipe.recipe);
  const output = resolve(dirname(recipe.path), resolved.output.directory);
  const folder = run ?? join(output, runId(resolved.name));
  const args = [
    ...(run === undefined ? [action, recipe.path, '--out', folder] : [action, run]),
    ...(device === undefined ? [] : ['--device', device]),
  ];
  const pid = await launch(context, args, { cwd: dirname(recipe.path), output });
  await appears(folder, pid);
  await context.runs.watch(folder);
  return { run: folder, pid };
}

async function launch(
  { session }: ServerContext,
  args: readonly string[],
  { cwd, output }: { readonly cwd: string; readonly output: string },
): Promise<number> {
  const log = await openLog(output);
  try {
    const { node, environment } = session.job;
    const child = spawn(node === '' ? process.execPath : node, [session.cli, ...args, '--quiet'], {
      cwd,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: {
        ...process.env,
        ...(node === '' ? { ELECTRON_RUN_AS_NODE: '1' } : {}),
        ...environment,
      },
    });
    await new Promise<void>((started, failed) => {
      child.once('spawn', started);
      child.once('error', failed);
    });
    child.unref();
    return child.pid ?? 0;
  } finally {
    await log.close();
  }
}

/** What a job prints goes beside the runs, where a person looks for them. */
async function openLog(output: string): Promise<FileHandle> {
  try {
    await mkdir(output, { recursive: true });
    return await open(join(output, '.jobs.log'), 'a');
  } catch (cause) {
    const message = `the output directory ${output} cannot be written`;
    throw new MergeError('MV593', message, { fault: 'system', cause });
  }
}

/** Waits for the run directory; a job that refuses leaves none, and says why in its log. */
async function appears(folder: string, pid: number): Promise<void> {
  const end = Date.now() + appearMs;
  for (;;) {
    if (await readRun(folder).catch(() => undefined)) return;
    if (!alive(pid) || Date.now() > end) break;
    await new Promise((again) => setTimeout(again, 50));
  }
  if (await readRun(folder).catch(() => undefined)) return;
  throw new MergeError('MV593', await lastWords(dirname(folder)), { fault: 'system' });
}

async function lastWords(output: string): Promise<string> {
  const text = await readText(join(output, '.jobs.log')).catch(() => '');
  const line = text.trim().split('\n').at(-1) ?? '';
  return line === '' ? 'the job ended before it wrote a run directory' : line;
}

/** Asks a job to end; it tidies up and is gone within two seconds. */
export async function stopJob(run: string): Promise<boolean> {
  const stored = await readRun(run).catch(() => undefined);
  if (!stored || !['queued', 'running', 'cancelling'].includes(stored.state)) return false;
  try {
    process.kill(stored.record.pid, 'SIGTERM');
    return true;
  } catch {
    return false;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
