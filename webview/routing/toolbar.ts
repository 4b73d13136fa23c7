import { button, segments, select, twinButton } from '../shared/components';
import { Drawn, h } from '../shared/dom';
import { dateToday, exportMenu, runName } from '../shared/export';
import { icon } from '../shared/icons';
import { twinsAsCsv } from '../shared/twin';
import type { RoutingModel, RoutingPage } from './model';
import { routingTwins } from './twin';

interface ToolbarActions {
  openEpisode(id: string): void;
  step(by: 1 | -1): void;
  route(): void;
  toggleTwin(): void;
}

/** Which run and observation, what it was computed with, and what can be done. */
export class Toolbar {
  private readonly drawn = new Drawn();
  private parts: readonly HTMLElement[] = [];

  constructor(
    private readonly page: RoutingPage,
    private readonly actions: ToolbarActions,
  ) {}

  /** The same elements as long as nothing in them changes: an open list stays open. */
  draw(): readonly HTMLElement[] {
    const { snapshot, twin } = this.page.model;
    const { runs, run, source, frames, frame, busy, answer, tasks, trusted } = snapshot;
    const texts = JSON.stringify([runs, run, source, frames, frame, busy, tasks.length]);
    if (this.drawn.differs(texts, answer?.device, answer?.seconds, trusted, twin))
      this.parts = parts(this.page, this.actions);
    return this.parts;
  }
}

function parts(page: RoutingPage, actions: ToolbarActions): readonly HTMLElement[] {
  const { model, post } = page;
  const { snapshot, twin } = model;
  const { trusted } = snapshot;
  const runs = snapshot.runs.map(({ id, label }) => ({ value: id, label }));
  return [
    select('Run', runs, snapshot.run ?? '', (id) => {
      post({ type: 'selectRun', id });
    }),
    segments(
      'Source',
      [
        { value: 'images', label: 'Images' },
        { value: 'frame', label: 'Dataset frame' },
        { value: 'episode', label: 'Recorded episode' },
      ],
      snapshot.source,
      (value) => {
        const source = value === 'frame' || value === 'episode' ? value : 'images';
        post({ type: 'setSource', source });
      },
    ),
    ...frameChoice(model, actions),
    h(
      'span',
      { class: 'end' },
      progress(page),
      twinButton(twin, () => {
        actions.toggleTwin();
      }),
      exports(page),
      button(
        'Route',
        {
          primary: true,
          disabled: !trusted,
          ...(trusted ? {} : { title: 'The workspace is not trusted' }),
        },
        () => {
          actions.route();
        },
        icon('play'),
      ),
    ),
  ];
}

function frameChoice({ snapshot }: RoutingModel, actions: ToolbarActions): HTMLElement[] {
  const { frames, frame } = snapshot;
  if (frames.length === 0) return [];
  const place = frames.findIndex(({ id }) => id === frame);
  const step = (by: 1 | -1, title: string) =>
    h(
      'button',
      {
        class: 'plain',
        type: 'button',
        title,
        'aria-label': title,
        disabled: frames[place + by] === undefined,
        click: () => {
          actions.step(by);
        },
      },
      icon(by < 0 ? 'left' : 'right'),
    );
  const choices = frames.map(({ id, label }) => ({ value: id, label }));
  return [
    select('Observation', choices, frame ?? '', (id) => {
      actions.openEpisode(id);
    }),
    step(-1, 'Previous observation (←)'),
    step(1, 'Next observation (→)'),
  ];
}

/** What is being computed with its end in reach, else what the answer was computed with. */
function progress({ model, post }: RoutingPage): HTMLElement | null {
  const { answer, tasks, busy } = model.snapshot;
  if (busy !== undefined)
    return h(
      'span',
      { class: 'chip busy', role: 'status' },
      `${busy}… `,
      h(
        'button',
        {
          class: 'link',
          type: 'button',
          click: () => {
            post({ type: 'stop' });
          },
        },
        'Stop',
      ),
    );
  if (!answer) return null;
  const precision = answer.detail ? ` · ${answer.detail.precision}` : '';
  const count = `${String(tasks.length)} ${tasks.length === 1 ? 'candidate' : 'candidates'}`;
  const words = `${answer.device}${precision} · ${count} in ${answer.seconds.toFixed(2)} s`;
  return h('span', { class: 'chip' }, icon('check'), words);
}

function exports(page: RoutingPage): HTMLElement {
  return exportMenu(
    {
      name: 'routing',
      page,
      csv: () => twinsAsCsv(routingTwins(page.model)),
      footer: () => footer(page.model),
    },
    page.post,
  );
}

/** The last line of a figure: run, observation, pairing, and what is outside the paper. */
function footer({ snapshot }: RoutingModel): string {
  const { runs, run, frames, frame, pairing, answer, banners } = snapshot;
  const offset = answer?.offset && 'scores divided by stored means (not in the paper)';
  const stale = banners.some(({ level }) => level === 'stale') && 'stale';
  const seen = frames.find(({ id }) => id === frame)?.label ?? answer?.detail?.instruction;
  const name = runs.filter(({ id }) => id === run).map(runName);
  return [...name, seen, `${pairing} pairing`, offset, answer?.device, stale, dateToday()]
    .filter(Boolean)
    .join(' · ');
}
