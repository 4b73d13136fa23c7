import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runEvaluation, type EvaluateRequest } from '../../server/jobs/evaluate-job';
import { runMerge } from '../../server/jobs/merge-job';
import type { EpisodeLine } from '../../server/protocol/episode-line';
import { decodePositions, decodeTargets } from '../../server/protocol/episode';
import { readEpisodes, readRecording } from '../../server/runs/episodes';
import { writeBenchZoo } from './zoo';

vi.setConfig({ testTimeout: 180_000 });

const folder = mkdtempSync(join(tmpdir(), 'mergevla-rollouts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const call = { command: ['mergevla', 'test'], version: 'test' };
let recipe = '';

beforeAll(async () => {
  recipe = await writeBenchZoo(join(folder, 'zoo'), 'evaluate: {episodes: 2, max_steps: 12}\n');
});

async function merged(name: string): Promise<string> {
  const outcome = await runMerge({ ...call, recipePath: recipe, out: join(folder, name) });
  if (outcome.kind !== 'done') throw new Error('the recipe was refused');
  return outcome.path;
}

const evaluate = (run: string, more: Partial<EvaluateRequest> = {}) =>
  runEvaluation({ ...call, run, workers: 2, ...more });

/** Everything about an episode but how long it took. */
const timeless = (lines: readonly EpisodeLine[]) => lines.map((line) => ({ ...line, seconds: 0 }));

const recordings = (run: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(run, 'replays'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.gz'))
      .map((name) => [name, readFileSync(join(run, 'replays', name)).toString('base64')]),
  );

describe('rollouts on the built-in bench', () => {
  it('are the same, bit for bit, for one worker, for two, and again', async () => {
    const [one, two] = [await merged('one'), await merged('two')];
    const first = await evaluate(one, { workers: 1 });
    const second = await evaluate(two, { workers: 2 });
    expect(first.lines).toHaveLength(2 * 3 * 5);
    expect(timeless(second.lines)).toEqual(timeless(first.lines));
    expect(timeless(readEpisodes(two))).toEqual(timeless(readEpisodes(one)));
    expect(recordings(two)).toEqual(recordings(one));
  });

  it('record what replays them: scene, positions, joint targets, and when the policy was asked', () => {
    const run = join(folder, 'one');
    for (const line of readEpisodes(run)) {
      const recording = readRecording(run, line.replay ?? '');
      if (!recording) throw new Error(`${line.replay ?? ''} is not there`);
      expect(recording).toMatchObject({ task: line.task, seed: line.seed, steps: line.steps });
      expect(decodePositions(recording)).toHaveLength(line.steps + 1);
      const targets = decodeTargets(recording);
      expect(targets?.map(({ length }) => length)).toEqual(Array(line.steps).fill(6));
      expect(recording.calls).toEqual([0, 8]);
    }
  });
});
