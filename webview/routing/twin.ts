import type { RoutedEpisode } from '../../server/protocol/panels/routing';
import type { Pairing, RouteImage } from '../../server/protocol/routing';
import { number, probability, signed } from '../shared/format';
import type { Twin, TwinCell } from '../shared/twin';
import { plainCell } from '../shared/twin';
import type { RoutingModel } from './model';
import { detailOf, setOf } from './model';

const pairings = ['same', 'crossed'] as const;

/** Every chart of the panel as a table: scores, patches, slots, confusion, margins. */
export function routingTwins(model: RoutingModel): readonly Twin[] {
  return [
    ...pairings.flatMap((pairing) => scoresTwin(model, pairing)),
    ...patchTwins(model),
    ...slotsTwin(model),
    ...pairings.flatMap((pairing) => confusionTwin(model, pairing)),
    ...pairings.flatMap((pairing) => marginsTwin(model, pairing)),
  ];
}

const two = (value: number | null | undefined): TwinCell =>
  plainCell(value ?? Number.NaN, number(value ?? Number.NaN, 2));
const text = (shown: string): TwinCell => ({ shown, exact: shown });

function scoresTwin({ snapshot }: RoutingModel, pairing: Pairing): Twin[] {
  const answer = snapshot.answer?.detail?.pairings[pairing];
  if (!answer) return [];
  const rows = snapshot.tasks.map((task) => ({
    name: task,
    cells: [
      plainCell(
        answer.softmax[task] ?? Number.NaN,
        probability(answer.softmax[task] ?? Number.NaN),
      ),
      two(answer.scores[task]),
      two(answer.paths[task]?.task_path),
      two(answer.paths[task]?.action_path),
    ],
  }));
  const head = ['candidate', 'softmax', 'r', 'task part', 'action part'];
  return [{ title: `Scores, ${pairing} pairing`, head, rows }];
}

function patchTwins(model: RoutingModel): Twin[] {
  const found = detailOf(model);
  if (!found) return [];
  const { tasks } = model.snapshot;
  return found.detail.images.map((image, index) => ({
    title: `Patch scores, camera ${image.camera}`,
    head: ['patch', ...tasks],
    rows: places(image).map((name, patch) => ({
      name,
      cells: tasks.map((task) => two(found.own.tokens[task]?.patches[index]?.[patch])),
    })),
  }));
}

function places({ grid: [rows, columns] }: RouteImage): string[] {
  return Array.from(
    { length: rows * columns },
    (_, p) => `row ${String(Math.floor(p / columns))} column ${String(p % columns)}`,
  );
}

function slotsTwin(model: RoutingModel): Twin[] {
  const tokens = detailOf(model)?.own.tokens ?? {};
  const { tasks } = model.snapshot;
  const count = Math.max(0, ...tasks.map((task) => tokens[task]?.slots.length ?? 0));
  if (count === 0) return [];
  const rows = Array.from({ length: count }, (_, slot) => ({
    name: String(slot),
    cells: tasks.map((task) => two(tokens[task]?.slots[slot])),
  }));
  return [{ title: 'Action slots', head: ['slot', ...tasks], rows }];
}

function confusionTwin(model: RoutingModel, pairing: Pairing): Twin[] {
  const set = setOf(model, pairing);
  if (!set) return [];
  const { tasks } = model.snapshot;
  const rows = tasks.map((task, truth) => ({
    name: task,
    cells: tasks.map((_, routed) => {
      const count = set.episodes.filter((e) => e.truth === truth && e.routed === routed).length;
      return plainCell(count, String(count));
    }),
  }));
  return [{ title: `Confusion, ${pairing} pairing`, head: ['true ↓ routed →', ...tasks], rows }];
}

function marginsTwin(model: RoutingModel, pairing: Pairing): Twin[] {
  const set = setOf(model, pairing);
  if (!set) return [];
  const { tasks } = model.snapshot;
  const rows = set.episodes.map((episode) => ({
    name: String(episode.seed),
    cells: [
      text(tasks[episode.truth] ?? ''),
      text(tasks[episode.routed] ?? ''),
      plainCell(episode.margin, signed(episode.margin, 2)),
      plainCell(episode.pTrue, probability(episode.pTrue)),
      plainCell(episode.pRouted, probability(episode.pRouted)),
      text(outcome(episode)),
      plainCell(episode.steps, String(episode.steps)),
    ],
  }));
  const head = [
    'seed',
    'true task',
    'routed to',
    'margin',
    'p(true)',
    'p(routed)',
    'outcome',
    'steps',
  ];
  return [{ title: `Margins, ${pairing} pairing`, head, rows }];
}

function outcome({ success, reason }: RoutedEpisode): string {
  return success ? 'success' : `failed: ${reason}`;
}
