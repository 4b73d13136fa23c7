import type { Pairing, PairingAnswer, RoutePaths } from '../../server/protocol/routing';
import { fill, h, s } from '../shared/dom';
import { number, probability, signed } from '../shared/format';
import { icon } from '../shared/icons';
import { markerShape, taskMark, taskMarker } from '../shared/tasks';
import type { RoutingModel } from './model';
import { detailOf, nearlyTied } from './model';

/** Title, and the paths whose states the task's and the action's basis are paired with. */
const words: Readonly<Record<Pairing, readonly [string, string, string]>> = {
  same: ['Same pairing', 'T', 'A'],
  crossed: ['Crossed pairing', 'A', 'T'],
};

const symbol = (letter: string, path: string): Node[] => [
  document.createTextNode(letter),
  h('sub', {}, path),
];

/** Both pairings beneath each other, the recipe's first; candidates in recipe order in both. */
export class PairingCards {
  readonly element = h('div', { class: 'pairings' });

  draw(model: RoutingModel): void {
    const found = detailOf(model);
    if (!found) {
      fill(this.element);
      return;
    }
    const { detail } = found;
    const other: Pairing = detail.pairing === 'same' ? 'crossed' : 'same';
    fill(
      this.element,
      card(model, detail.pairing, detail.pairings[detail.pairing], true),
      card(model, other, detail.pairings[other], false),
    );
  }
}

function card(
  model: RoutingModel,
  pairing: Pairing,
  answer: PairingAnswer,
  own: boolean,
): HTMLElement {
  const [title, task, action] = words[pairing];
  const label = own
    ? 'this recipe'
    : pairing === 'crossed'
      ? 'Algorithm 1 as printed'
      : 'as released';
  const { tasks } = model.snapshot;
  return h(
    'section',
    { class: 'card pairing' },
    h(
      'div',
      { class: 'heading' },
      h('h2', {}, title),
      h(
        'span',
        { class: 'secondary' },
        ...[...symbol('P', 'T'), ' with ', ...symbol('h', task), ', '],
        ...[...symbol('P', 'A'), ' with ', ...symbol('h', action), ` · ${label}`],
      ),
    ),
    h(
      'p',
      { class: 'winner' },
      h('span', { class: 'headline' }, answer.chosen),
      h(
        'span',
        { class: 'secondary' },
        ` p ${probability(answer.softmax[answer.chosen] ?? Number.NaN)} · margin ${signed(answer.margin, 2)} `,
      ),
      nearlyTied(answer) ? h('span', { class: 'tie' }, icon('warning'), ' nearly a tie') : null,
    ),
    model.snapshot.answer?.offset === 'stored'
      ? h(
          'p',
          { class: 'note' },
          'Each r is divided by the task’s mean over stored first frames, which is outside the paper’s formula; T and A are not.',
        )
      : null,
    tasks.length < 2
      ? h(
          'p',
          { class: 'note' },
          'With one task there is nothing to route; the score is shown all the same.',
        )
      : null,
    scoreTable(model, answer),
  );
}

function scoreTable(model: RoutingModel, answer: PairingAnswer): HTMLElement {
  const range = rangeOf(model);
  const part = (name: string, letter: string) => [` ${name} `, h('strong', {}, letter)] as const;
  const head = [
    h('th', { scope: 'col' }, 'candidate'),
    h('th', { scope: 'col' }, 'softmax'),
    h('th', { scope: 'col', class: 'end' }, 'r'),
    h('th', { scope: 'col' }, ...part('task', 'T'), ...part('and action', 'A'), ' part'),
  ];
  const axisRow = h('tr', { class: 'axis-row', 'aria-hidden': 'true' }, h('th'), h('td'), h('td'));
  axisRow.append(h('td', {}, axis(range, model)));
  return h(
    'table',
    { class: 'scores' },
    h('thead', {}, h('tr', {}, ...head)),
    h(
      'tbody',
      {},
      ...model.snapshot.tasks.map((_, i) => scoreRow(model, answer, i, range)),
      axisRow,
    ),
  );
}

function scoreRow(
  model: RoutingModel,
  answer: PairingAnswer,
  place: number,
  range: Range,
): HTMLElement {
  const { theme, snapshot } = model;
  const task = snapshot.tasks[place] ?? '';
  const chosen = task === answer.chosen;
  const name = h(chosen ? 'strong' : 'span', {}, task);
  const colour = taskMark(theme, place).colour;
  return h(
    'tr',
    { class: chosen ? 'selected' : null },
    h('th', { scope: 'row' }, h('span', { class: 'task-name' }, taskMarker(theme, place), name)),
    h('td', {}, softmaxBar(answer.softmax[task] ?? 0, colour, model)),
    h('td', { class: 'end' }, number(answer.scores[task] ?? Number.NaN, 2)),
    h('td', {}, dumbbell(answer.paths[task], place, { model, range })),
  );
}

function softmaxBar(p: number, colour: string, model: RoutingModel): HTMLElement {
  const ground = s('rect', { width: 92, height: 10, fill: model.theme.muted, opacity: 0.25 });
  const bar = s('rect', {
    width: 92 * p,
    height: 10,
    fill: colour,
    stroke: model.theme.contrast ? model.theme.border : 'none',
  });
  return h(
    'span',
    { class: 'softmax' },
    s(
      'svg',
      { viewBox: '0 0 92 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      ground,
      bar,
    ),
    probability(p),
  );
}

type Range = readonly [number, number];
const width = 224;

/** One axis for both pairings, so that their tables compare. */
function rangeOf(model: RoutingModel): Range {
  const detail = detailOf(model)?.detail;
  const parts = detail
    ? (['same', 'crossed'] as const).flatMap((p) =>
        Object.values(detail.pairings[p].paths).flatMap((path) => [
          path.task_path,
          path.action_path,
        ]),
      )
    : [];
  const [low, high] = [Math.min(...parts, Infinity), Math.max(...parts, -Infinity)];
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const step = tickStep(high - low);
  return [Math.floor(low / step - 0.1) * step, Math.ceil(high / step + 0.1) * step];
}

function tickStep(spread: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(spread, 1e-6) / 4));
  return ([1, 2, 5, 10].find((m) => m * power * 6 >= spread) ?? 10) * power;
}

const place = (value: number, [low, high]: Range) =>
  14 + ((value - low) / (high - low)) * (width - 28);

/** Letters at the two parts, the task's marker at their mean. */
function dumbbell(
  path: RoutePaths | undefined,
  task: number,
  { model, range }: { readonly model: RoutingModel; readonly range: Range },
): SVGSVGElement | string {
  if (!path) return '–';
  const mark = taskMark(model.theme, task);
  const [t, a] = [place(path.task_path, range), place(path.action_path, range)];
  // Letters that would lie on each other move apart, and on the line's ends when it is long enough.
  const apart = Math.max(0, (18 - Math.abs(t - a)) / 2) * (t < a ? 1 : -1);
  const letter = (x: number, text: string) =>
    s(
      'text',
      {
        x,
        y: 14,
        'text-anchor': 'middle',
        'font-size': 13,
        'font-family': model.theme.font,
        fill: mark.colour,
      },
      text,
    );
  const label = `task part ${number(path.task_path, 2)}, action part ${number(path.action_path, 2)}`;
  return s(
    'svg',
    { width, height: 20, role: 'img', 'aria-label': label },
    s('title', {}, label),
    ...ticks(range).map((tick) =>
      s('path', { d: `M${String(place(tick, range))} 0V20`, stroke: model.theme.border }),
    ),
    s('path', { d: `M${String(t)} 10H${String(a)}`, stroke: mark.colour, 'stroke-width': 2 }),
    letter(t - apart, 'T'),
    letter(a + apart, 'A'),
    s(
      'g',
      { transform: `translate(${String((t + a) / 2)} 10)` },
      markerShape(mark.point, mark.colour, 4.5),
    ),
  );
}

function ticks([low, high]: Range): readonly number[] {
  const step = tickStep(high - low);
  return Array.from({ length: Math.floor((high - low) / step + 1.001) }, (_, i) => low + i * step);
}

function axis(range: Range, { theme }: RoutingModel): SVGSVGElement {
  const step = tickStep(range[1] - range[0]);
  return s(
    'svg',
    { width, height: 14 },
    ...ticks(range).map((tick) =>
      s(
        'text',
        {
          x: place(tick, range),
          y: 10,
          'text-anchor': 'middle',
          'font-size': 11,
          'font-family': theme.font,
          fill: theme.muted,
        },
        number(tick, step < 1 ? 1 : 0),
      ),
    ),
  );
}
