import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { collectDemonstrations, type Demonstrations } from '../../evaluate/so101/demonstrations';
import { TASKS, type Task } from '../../evaluate/so101/scene';
import { usage } from '../arguments';
import { formatBytes } from '../units';
import type { Call, Options, Outcome } from '../verb';

/** Collects demonstrations of the built-in bench, one file a task. */
export async function run({ options, terminal, signal }: Call): Promise<Outcome> {
  const out = options.text('out');
  if (out === undefined) throw usage('demos needs --out DIR');
  const tasks = chosenTasks(options);
  const settings = {
    episodes: whole(options, 'episodes', 50),
    start: whole(options, 'start', 0),
    every: whole(options, 'every', 1),
    imageSize: whole(options, 'size', 64),
    perturbation: decimal(options, 'perturbation', 0.03),
    recolour: options.flag('recolour'),
    signal,
  };
  await mkdir(out, { recursive: true });
  const written: (Demonstrations & { readonly file: string })[] = [];
  for (const task of tasks) {
    const file = join(out, `${task}.safetensors`);
    const onEpisode = (done: number) => {
      terminal.progress.update({ phase: task, done, total: settings.episodes, unit: 'episodes' });
    };
    written.push({
      file,
      ...(await collectDemonstrations(file, { ...settings, task, onEpisode })),
    });
  }
  return { code: 0, json: { files: written }, text: written.map(line).join('\n') };
}

function line({ file, episodes, tries, frames, bytes }: Demonstrations & { file: string }): string {
  const made = `${String(episodes)} episodes of ${String(tries)} tries`;
  return `${file}: ${made}, ${String(frames)} frames, ${formatBytes(bytes)}`;
}

function chosenTasks(options: Options): readonly Task[] {
  const names = options.list('task');
  if (names.length === 0) return TASKS;
  return names.map((name) => {
    const task = TASKS.find((known) => known === name);
    if (task === undefined) throw usage(`--task knows ${TASKS.join(', ')}, not ${name}`);
    return task;
  });
}

function whole(options: Options, name: string, otherwise: number): number {
  const value = Number(options.text(name) ?? otherwise);
  const least = name === 'start' ? 0 : 1;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw usage(`--${name} needs a whole number of at least ${String(least)}`);
}

function decimal(options: Options, name: string, otherwise: number): number {
  const value = Number(options.text(name) ?? otherwise);
  if (Number.isFinite(value) && value >= 0) return value;
  throw usage(`--${name} needs a number of at least 0`);
}
