import { isRecord } from '../protocol/shape';
import type { EpisodeLine } from '../protocol/episode-line';
import type { EvaluationRecord } from '../protocol/evaluation-record';
import { EpisodeFile } from '../runs/episodes';
import { EventLog } from '../runs/event-log';
import { lockFolder } from '../runs/lock';
import { readRun, readResolvedRecipe } from '../runs/read';
import { join } from 'node:path';
import { writeRates } from './rate-files';

/** What a client of the policy server told about an episode that ended. */
export interface ServedEpisode {
  readonly suite: string;
  readonly task: string;
  /** Null where the client did not say. */
  readonly success: boolean | null;
  readonly steps: number | null;
  readonly routed: string | null;
}

export interface ServedPolicy {
  readonly tasks: readonly string[];
  readonly routes: boolean;
  /** The task that is served always, where one is. */
  readonly task?: string;
}

/**
 * Writes what clients of `mergevla serve` report into the run that is served, so that its table fills
 * itself. The run is locked for each episode only: an evaluation whose harness is that client holds
 * the lock, gets the same outcome as an answer, and this call throws MV531.
 */
export class ServedEpisodes {
  private constructor(
    private readonly run: string,
    private readonly policy: ServedPolicy,
  ) {}

  /** Undefined where the source is no finished run. */
  static async open(source: string, policy: ServedPolicy): Promise<ServedEpisodes | undefined> {
    const run = await readRun(source).catch(() => undefined);
    if (!run || run.partial || !isRecord(await readResolvedRecipe(run))) return undefined;
    return new ServedEpisodes(run.folder, policy);
  }

  /** Throws MV531 while another process writes the run. */
  add(episode: ServedEpisode): void {
    const lock = lockFolder(this.run);
    try {
      const file = new EpisodeFile(this.run, this.record(episode.suite));
      const line = this.lineOf(episode, file.lines());
      file.append(line);
      this.tell(line);
      const place = { file: (...parts: string[]) => join(this.run, ...parts) };
      writeRates(place, { record: this.record(episode.suite), lines: file.lines() });
    } finally {
      lock.release();
    }
  }

  /** A suite that has a task's name is that task, as in LIBERO; else the client's own name counts. */
  private lineOf(episode: ServedEpisode, known: readonly EpisodeLine[]): EpisodeLine {
    const { suite, success, steps, routed } = episode;
    const policy = this.policy.task !== undefined || !this.policy.routes ? 'masked' : 'routed';
    const task = this.policy.tasks.includes(suite) ? suite : episode.task;
    const own = known.filter((line) => line.policy === policy && line.task === task);
    return {
      policy,
      task,
      // Clients number episodes within their own tasks; here each gets a number of its own.
      seed: own.length,
      success: success === true,
      steps: steps ?? 0,
      ...(success === null && { error: 'the client did not say how the episode ended' }),
      ...(policy === 'routed' && routed !== null && { routed }),
      suite,
    };
  }

  private tell({ policy, task, seed, success, steps, routed }: EpisodeLine): void {
    const log = new EventLog(join(this.run, 'events.jsonl'));
    const event = { type: 'episode', policy, task, seed, success, steps } as const;
    log.add({ ...event, ...(routed !== undefined && { routed }) });
    log.close();
  }

  private record(suite: string): EvaluationRecord {
    return {
      version: 1,
      settings: {
        suite: this.policy.tasks.includes(suite) ? 'served' : suite,
        shift: 'none',
        execute: null,
        max_steps: null,
        routing: 'episode',
        command: null,
      },
      tasks: this.policy.tasks,
      policies: [this.policy.routes ? 'routed' : 'masked'],
      episodes: 0,
      seeds: { first: 0, last: 0 },
      simulator: 'external',
      criteria: {},
    };
  }
}
