import { encode } from 'fast-png';
import type { RoutedSet, RoutingSnapshot } from '../../server/protocol/panels/routing';
import type { PairingAnswer, RouteAnswer, RouteImage } from '../../server/protocol/routing';
import { uniformStream } from '../../server/evaluate/rates/beta';
import { wilson } from '../../server/evaluate/rates/intervals';
import { cubeTasks } from './success-data';

const grid = 16;

/** A picture of a table with a cube on it. */
function image(camera: string): RouteImage {
  const size = 64;
  const data = new Uint8Array(size * size * 3);
  for (let i = 0; i < size * size; i += 1) {
    const [x, y] = [i % size, Math.floor(i / size)];
    const cube = Math.abs(x - 30) < 6 && Math.abs(y - 34) < 6;
    data.set(cube ? [200, 30, 30] : y > 50 ? [40, 40, 42] : [196, 178, 152], 3 * i);
  }
  const png = encode({ width: size, height: size, data, channels: 3, depth: 8 });
  return {
    camera,
    width: size,
    height: size,
    png: Buffer.from(png).toString('base64'),
    grid: [grid, grid],
  };
}

function pairing(
  scores: readonly number[],
  spread: number,
  tasks: readonly string[],
): PairingAnswer {
  const uniform = uniformStream(3);
  const exp = scores.map((r) => Math.exp(r));
  const sum = exp.reduce((a, b) => a + b, 0);
  const record = <T>(pick: (i: number) => T) =>
    Object.fromEntries(tasks.map((task, i) => [task, pick(i)]));
  const order = [...scores].sort((a, b) => b - a);
  return {
    scores: record((i) => scores[i] ?? 0),
    paths: record((i) => ({
      task_path: (scores[i] ?? 0) + spread * (1 - 0.4 * i),
      action_path: (scores[i] ?? 0) - spread * (1 - 0.4 * i),
    })),
    softmax: record((i) => (exp[i] ?? 0) / sum),
    chosen: tasks[scores.indexOf(Math.max(...scores))] ?? '',
    margin: (order[0] ?? 0) - (order[1] ?? 0),
    tokens: record((i) => ({
      patches: [0, 1].map((camera) =>
        Array.from({ length: grid * grid }, (_, p) =>
          camera === 1 && p === 0
            ? null
            : 5 +
              i +
              1.5 * uniform() +
              10 * Math.exp(-(((p % grid) - 7 - i) ** 2 + (Math.floor(p / grid) - 8) ** 2) / 8),
        ),
      ),
      slots: Array.from({ length: 64 }, () => 6 + 4 * uniform()),
    })),
  };
}

export function routeAnswer(tasks: readonly string[] = cubeTasks): RouteAnswer {
  const same = pairing([8.61, 7.94, 9.82].slice(0, tasks.length), 0.6, tasks);
  const crossed = pairing([8.23, 7.71, 8.28].slice(0, tasks.length), -0.7, tasks);
  const { scores, paths, softmax, chosen } = same;
  return {
    scores,
    paths,
    softmax,
    chosen,
    device: 'CUDA:0',
    seconds: 0.41,
    detail: {
      pairing: 'same',
      precision: 'float32',
      images: [image('top'), image('wrist')],
      instruction: 'stack the red cube on the blue cube',
      proprio: [-0.12, 0.1, 0.11, 1.21, 0, 0.35],
      pairings: { same, crossed },
    },
  };
}

export function routedSet(error: number, seed: number, count = 300): RoutedSet {
  const uniform = uniformStream(seed);
  const episodes = Array.from({ length: count }, (_, i) => {
    const truth = Math.floor((3 * i) / count);
    const wrong = uniform() < error;
    const margin = wrong ? -0.7 * uniform() : 0.1 + 1.2 * (uniform() + uniform());
    return {
      id: `routed/${String(i)}`,
      seed: 20300 + i,
      truth,
      routed: wrong ? (truth + 1 + Math.floor(2 * uniform())) % 3 : truth,
      margin,
      pTrue: wrong ? 0.4 : 0.8,
      pRouted: wrong ? 0.55 : 0.8,
      success: !wrong,
      reason: wrong ? 'time limit' : 'success',
      steps: wrong ? 160 : 88,
      replay: true,
    };
  });
  const right = episodes.filter(({ truth, routed }) => truth === routed).length;
  return { episodes, right: right / count, ...wilson({ successes: right, trials: count }) };
}

export function routingSnapshot(): RoutingSnapshot {
  return {
    phase: { kind: 'ready' },
    banners: [],
    runs: [{ id: 'a', label: 'cubes-ties-3f9a', recipeHash: '3f9a01c7' }],
    run: 'a',
    tasks: cubeTasks,
    source: 'episode',
    given: { images: [], instruction: '', proprio: '' },
    frames: [
      { id: 'f1', label: 'seed 20417 · frame 0' },
      { id: 'f2', label: 'seed 20418 · frame 0' },
    ],
    frame: 'f1',
    answer: routeAnswer(),
    same: routedSet(0.02, 1),
    crossed: routedSet(0.26, 2),
    pairing: 'same',
    trusted: true,
  };
}
