import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EpisodeLine } from '../../server/protocol/episode-line';
import {
  decodePositions,
  encodeTargets,
  hingesOf,
  type EpisodeRecording,
} from '../../server/protocol/episode';
import type {
  EpisodeList,
  Replay,
  SuccessSnapshot,
} from '../../server/protocol/panels/success-rates';
import { uniformStream } from '../../server/evaluate/rates/beta';
import {
  componentRows,
  paperGroup,
  progressiveStatements,
} from '../../server/evaluate/rates/paper';
import type { PolicyRollouts } from '../../server/evaluate/rates/table';
import { noRollouts, sumEpisodes } from '../../server/evaluate/rates/rollouts';
import { cellOf, comparePolicies, successTable } from '../../server/evaluate/rates/table';

export const cubeTasks = ['pick_place', 'push_cube', 'stack_cube'];

/** Seeded made-up rollouts with the rates of the design's picture. */
export function linesOf(policy: string, rates: readonly number[], count = 100): EpisodeLine[] {
  return cubeTasks.flatMap((task, t) => {
    const uniform = uniformStream(17 * t + policy.length);
    return Array.from({ length: count }, (_, i) => {
      const success = uniform() < (rates[t] ?? 0);
      const routed = uniform() < 0.97 ? task : (cubeTasks[(t + 1) % 3] ?? task);
      return {
        policy,
        task,
        seed: 40000 + i,
        success,
        steps: success ? 60 + Math.floor(40 * uniform()) : 160,
        reason: success ? 'success' : uniform() < 0.5 ? 'never grasped' : 'cube slipped off',
        ...(policy.startsWith('routed') ? { routed } : {}),
      };
    });
  });
}

export function policiesOf(): PolicyRollouts[] {
  const policy = (id: string, detail: string, rates: readonly number[]): PolicyRollouts => ({
    id,
    label: id.split(' ')[0] ?? id,
    detail,
    tasks: sumEpisodes(linesOf(id, rates)),
    state: 'done',
  });
  const running = new Map(sumEpisodes(linesOf('routed ties', [0.92, 0.95, 0.5]), 100));
  const push = running.get('push_cube');
  if (push) running.set('push_cube', { ...push, trials: 64, successes: 61 });
  running.set('stack_cube', { ...noRollouts, planned: 100 });
  return [
    policy('blind', 'mean image', [0.06, 0.11, 0]),
    policy('experts', 'each on its own task', [0.96, 0.94, 0.88]),
    policy('merged', 'task_arithmetic, no masks', [0.03, 0.14, 0]),
    policy('masked', 'task_arithmetic, task known', [0.9, 0.92, 0.79]),
    policy('routed', 'task_arithmetic', [0.88, 0.92, 0.74]),
    {
      id: 'routed ties',
      label: 'routed',
      detail: 'ties',
      tasks: running,
      state: 'running',
      secondsLeft: 61,
    },
  ];
}

export function episodeList(): EpisodeList {
  return {
    row: 'masked',
    task: 'stack_cube',
    label: 'masked · stack_cube',
    items: linesOf('masked', [0.9, 0.92, 0.79])
      .filter(({ task }) => task === 'stack_cube')
      .map((line) => ({
        id: `masked/stack_cube/${String(line.seed)}`,
        seed: line.seed,
        success: line.success,
        steps: line.steps,
        reason: line.reason ?? '',
        routed: 'stack_cube',
        replay: true,
      })),
  };
}

/** An episode as it was recorded before joint targets and policy calls were. */
export function olderRecording(): EpisodeRecording {
  const path = join(__dirname, '../fixtures/webview/episode.json');
  return JSON.parse(readFileSync(path, 'utf8')) as EpisodeRecording;
}

/** The same with calls every 8 steps and made-up targets two steps ahead of what was reached. */
export function wholeRecording(): EpisodeRecording {
  const recording = olderRecording();
  const { steps, scene } = recording;
  const rows = decodePositions(recording) ?? [];
  const targets = Array.from({ length: steps }, (_, step) =>
    hingesOf(scene).map(({ address }) => rows[Math.min(step + 2, steps)]?.[address] ?? 0),
  );
  const calls = Array.from({ length: Math.ceil(steps / 8) }, (_, call) => 8 * call);
  return { ...recording, calls, targets: encodeTargets(targets, hingesOf(scene).length) };
}

export function replayOf(
  id = 'masked/stack_cube/40029',
  recording: EpisodeRecording = wholeRecording(),
): Replay {
  return {
    id,
    recording,
    events: [
      { step: 25, name: 'grasp', bad: false },
      { step: 45, name: 'lift', bad: false },
      { step: recording.steps - 6, name: 'topple', bad: true },
    ],
    frames: [],
  };
}

export function successSnapshot(): SuccessSnapshot {
  const policies = policiesOf();
  const options = {
    tasks: cubeTasks,
    interval: 'wilson' as const,
    protocol: 'so101-cubes · unseen colours · 100 test seeds a task · 160 steps',
    reporting: [
      {
        title: 'cubes-ta-3f9a',
        facts: [
          ['suite', 'so101-cubes'],
          ['success of stack_cube', 'the red cube rests on the blue one'],
        ] as const,
      },
    ],
  };
  const table = successTable(
    [{ title: 'This bench · successes / rollouts, rate, 95 % interval', policies }],
    options,
  );
  const paper = paperGroup('so101', cubeTasks, 'wilson');
  const [, , , masked, routed] = policies;
  const cell = (successes: number, trials = 100) =>
    cellOf({ ...noRollouts, successes, trials }, 'wilson');
  return {
    phase: { kind: 'ready' },
    banners: [],
    runs: [
      { id: 'a', label: 'cubes-ta-3f9a', shown: true, recipeHash: '3f9a01c7' },
      { id: 'b', label: 'cubes-ties-71bc', shown: true },
    ],
    papers: [
      { id: 'so101', label: 'Paper: SO-101', shown: true },
      { id: 'libero', label: 'Paper: LIBERO', shown: false },
    ],
    interval: 'wilson',
    table: { ...table, groups: paper ? [...table.groups, paper] : table.groups },
    comparison: masked && routed ? comparePolicies(masked, routed) : null,
    studies: [
      {
        kind: 'progressive',
        title: 'OpenVLA · LIBERO-Spatial · Iso-CTS · 100 rollouts a point',
        points: [
          [1, 75],
          [2, 81],
          [4, 85],
          [6, 78],
          [8, 81],
          [10, 67],
          [12, 50],
          [14, 40],
          [16, 20],
          [18, 11],
          [20, 5],
          [22, 0],
          [32, 0],
        ].map(([x = 0, n = 0]) => ({
          label: `k ${String(x)}`,
          x,
          cell: cell(n),
          run: `run ${String(x)}`,
        })),
        statements: progressiveStatements,
      },
      {
        kind: 'components',
        title: 'LIBERO mean · Iso-CTS',
        points: componentRows.map(([label, paper], x) => ({
          label,
          x,
          paper: paper / 100,
          run: `part ${String(x)}`,
          cell: [null, cell(71), cell(45), cell(49), cell(41), null, cell(0)][x] ?? null,
        })),
        statements: [],
      },
    ],
    trusted: true,
  };
}
