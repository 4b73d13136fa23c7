import { isNumber, isRecord, isString } from '../../protocol/shape';
import type { Imported, ImportedEpisode, ImportOptions, ResultFile } from './types';
import { refuse } from './types';

/** `eval_info.json` of LeRobot and the aggregate or shard files of vla-eval. */
export function readJsonResults(file: ResultFile, options: ImportOptions): Imported {
  const value = parseLenient(file.text);
  if (!isRecord(value)) return refuse(`${file.name} is not a complete JSON object`);
  if (Array.isArray(value['per_task']) || Array.isArray(value['per_episode']))
    return readLeRobot(file, value, options);
  if (Array.isArray(value['tasks']) && isString(value['benchmark']))
    return readVlaEval(file, value, options);
  return refuse(
    `${file.name} is JSON, but neither LeRobot's eval_info.json nor a result of vla-eval`,
  );
}

/** Python writes NaN and Infinity, which are no JSON: outside of strings they become null. */
export function parseLenient(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      const mended = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
        found.startsWith('"') ? found : 'null',
      );
      return JSON.parse(mended);
    } catch {
      return undefined;
    }
  }
}

type Json = Readonly<Record<string, unknown>>;

const records = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

function readLeRobot(file: ResultFile, value: Json, options: ImportOptions): Imported {
  const policy = options.policy ?? 'lerobot';
  const episodes = Array.isArray(value['per_task'])
    ? records(value['per_task']).flatMap((task) => leRobotTask(task, policy))
    : leRobotEpisodes(records(value['per_episode']), policy);
  if (episodes.length === 0) return refuse(`${file.name} names no finished episode`);
  const overall = isRecord(value['overall']) ? value['overall'] : {};
  const promised = overall['n_episodes'];
  const partial =
    isNumber(promised) && promised !== episodes.length
      ? { partial: `${String(episodes.length)} of ${String(promised)} episodes are in the file` }
      : {};
  return {
    run: { format: 'lerobot', file: file.name, episodes, counts: [], ...partial, warnings: [] },
  };
}

function leRobotTask(task: Json, policy: string): ImportedEpisode[] {
  const metrics = isRecord(task['metrics']) ? task['metrics'] : {};
  const suite = isString(task['task_group']) ? { suite: task['task_group'] } : {};
  const id = isNumber(task['task_id']) ? String(task['task_id']) : '0';
  const successes: readonly unknown[] = Array.isArray(metrics['successes'])
    ? metrics['successes']
    : [];
  return successes.map((success, episode) => ({
    policy,
    ...suite,
    task: suite.suite === undefined ? `task ${id}` : `${suite.suite} ${id}`,
    episode,
    ...outcome(success),
  }));
}

/** An episode without an outcome was cut off: it is no failure. */
function outcome(value: unknown): Pick<ImportedEpisode, 'success' | 'error'> {
  const known = value === true || value === false || value === 1 || value === 0;
  return {
    success: value === true || value === 1,
    ...(known ? {} : { error: 'no outcome recorded' }),
  };
}

/** The older form has one task, so the policy's environment is not named. */
function leRobotEpisodes(items: readonly Json[], policy: string): ImportedEpisode[] {
  return items.map((item, episode) => ({
    policy,
    task: 'task',
    episode: isNumber(item['episode_ix']) ? item['episode_ix'] : episode,
    ...(isNumber(item['seed']) ? { seed: item['seed'] } : {}),
    ...outcome(item['success']),
  }));
}

function readVlaEval(file: ResultFile, value: Json, options: ImportOptions): Imported {
  const config = isRecord(value['config']) ? value['config'] : {};
  const params = isRecord(config['params']) ? config['params'] : {};
  const suite = text(params['suite']) ?? text(value['benchmark']) ?? 'vla-eval';
  const policy = options.policy ?? text(value['model_server']) ?? 'policy';
  const tasks = records(value['tasks']);
  const episodes = tasks.flatMap((task) => vlaEvalTask(task, policy, suite));
  if (episodes.length === 0) return refuse(`${file.name} names no finished episode`);
  const partial = vlaEvalPartial(file.name, tasks, episodes.length);
  return {
    run: {
      format: 'vla-eval',
      file: file.name,
      episodes,
      counts: [],
      ...(partial === undefined ? {} : { partial }),
      warnings: [],
    },
  };
}

const text = (value: unknown): string | undefined => (isString(value) ? value : undefined);

function vlaEvalPartial(name: string, tasks: readonly Json[], count: number): string | undefined {
  const shard = /_shard(\d+)of(\d+)/.exec(name);
  if (shard) return `shard ${shard[1] ?? ''} of ${shard[2] ?? ''}`;
  const promised = tasks.reduce(
    (sum, task) => sum + (isNumber(task['num_episodes']) ? task['num_episodes'] : 0),
    0,
  );
  return promised > count
    ? `${String(count)} of ${String(promised)} episodes are in the file`
    : undefined;
}

function vlaEvalTask(task: Json, policy: string, suite: string): ImportedEpisode[] {
  return records(task['episodes']).map((item, place) => {
    const metrics = isRecord(item['metrics']) ? item['metrics'] : {};
    const seed = isNumber(item['episode_idx']) ? { seed: item['episode_idx'] } : {};
    return {
      policy,
      suite: isString(item['suite']) ? item['suite'] : suite,
      task: isString(task['task']) ? task['task'] : 'task',
      episode: isNumber(item['episode_id']) ? item['episode_id'] : place,
      ...seed,
      ...outcome(metrics['success']),
      ...(isString(item['failure_reason']) ? { error: item['failure_reason'] } : {}),
      ...(isNumber(item['steps']) ? { steps: item['steps'] } : {}),
      ...(isNumber(item['elapsed_sec']) ? { seconds: item['elapsed_sec'] } : {}),
    };
  });
}
