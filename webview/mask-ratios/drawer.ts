import type { DrawerRow, DrawerView } from '../../server/protocol/panels/mask-ratios';
import type { Figure } from '../../server/protocol/panels/shared';
import { Drawn, fill, h, s } from '../shared/dom';
import {
  count,
  highOf,
  lowOf,
  nbsp,
  percent,
  shareInColumn,
  signed,
  valueOf,
} from '../shared/format';
import type { Column } from '../shared/grid';
import { Grid } from '../shared/grid';
import type { MenuItem } from '../shared/menu';
import { patternFill, patterns } from '../shared/patterns';
import { taskMark, taskMarker } from '../shared/tasks';
import type { Theme } from '../shared/theme';
import { detailHeading } from './detail-heading';
import type { MaskActions, MaskModel } from './model';
import { coverageClasses } from './model';

/** The tensors of the selected block, or of a range, as a sortable table. */
export class DrawerCard {
  readonly element = h('section', { class: 'card drawer', hidden: true });
  private grid: Grid<DrawerRow> | undefined;
  private made = '';
  private model: MaskModel | undefined;
  private readonly drawn = new Drawn();

  constructor(private readonly actions: MaskActions) {}

  draw(model: MaskModel): void {
    const { drawer, recipe, trusted } = model.snapshot;
    this.model = model;
    this.element.hidden = !drawer || !model.selection;
    if (!drawer || !recipe) return;
    if (!this.drawn.differs(drawer, recipe.tasks, model.theme, trusted)) return;
    const key = `${recipe.tasks.join('\0')} ${model.theme.kind} ${drawer.title} ${drawer.by}`;
    if (!this.grid || this.made !== key) this.grid = new Grid(this.options(model));
    this.made = key;
    this.grid.show(drawer.rows);
    fill(this.element, this.heading(drawer, trusted), this.grid.element);
  }

  private heading(drawer: DrawerView, trusted: boolean): HTMLElement {
    const read = drawer.positionsRead;
    const facts = `${String(drawer.rows.length)} ${drawer.by}${drawer.rows.length === 1 ? '' : 's'} · ${read === undefined ? '' : `≈${nbsp}${read.toLocaleString('en')} of `}${count(drawer.positions)} positions${read === undefined ? '' : ' read'} · active ratio in${nbsp}%`;
    const excludeLabel = drawer.by === 'block' ? 'Exclude blocks' : 'Exclude block';
    return detailHeading(
      {
        ...{ title: drawer.title, facts, glob: drawer.glob, copyLabel: 'Copy glob' },
        excludeLabel: trusted ? excludeLabel : undefined,
        close: () => {
          this.actions.select(undefined);
        },
      },
      this.actions,
    );
  }

  /** A tensor's own numbers, or the tensors of a block. */
  private open(name: string): void {
    const { snapshot, selection } = this.model ?? {};
    if (!snapshot || !selection) return;
    if (snapshot.drawer?.by !== 'block') {
      this.actions.showTensor(name);
      return;
    }
    const blocks = snapshot.sections[selection.section]?.blocks ?? [];
    const place = blocks.findIndex(
      ({ label, block }) => name === (block === null ? label : `block ${label}`),
    );
    if (place >= 0) this.actions.select({ section: selection.section, from: place, to: place });
  }

  /** The drawer's actions, for one row of it. */
  private offers({ name, glob }: DrawerRow): readonly MenuItem[] {
    const { actions } = this;
    const { drawer, trusted = false } = this.model?.snapshot ?? {};
    const what = drawer?.by ?? 'tensor';
    const offer = (label: string, run: () => void): MenuItem => ({ label, run });
    return [
      offer(`Open ${what}`, () => {
        this.open(name);
      }),
      offer('Go to scope in recipe', () => {
        actions.reveal('scope');
      }),
      ...(trusted
        ? [
            offer(`Exclude ${what}`, () => {
              actions.exclude(glob);
            }),
          ]
        : []),
      offer(what === 'tensor' ? 'Copy name' : 'Copy glob', () => {
        actions.copy(glob);
      }),
    ];
  }

  private options({ snapshot, theme }: MaskModel) {
    const tasks = snapshot.recipe?.tasks ?? [];
    return {
      label: 'Tensors of the selection',
      columns: drawerColumns(snapshot.drawer?.by ?? 'tensor', tasks, theme),
      windowRows: 20,
      keyOf: ({ name }: DrawerRow) => name,
      onopen: ({ name }: DrawerRow) => {
        this.open(name);
      },
      actions: (row: DrawerRow) => this.offers(row),
      oncopy: (text: string) => {
        this.actions.copy(text);
      },
    };
  }
}

function drawerColumns(
  by: DrawerView['by'],
  tasks: readonly string[],
  theme: Theme,
): Column<DrawerRow>[] {
  return [
    {
      key: 'tensor',
      title: by,
      text: ({ name }) => name,
      render: ({ name }) => h('code', { title: name }, name),
      order: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
    },
    {
      key: 'shape',
      title: by === 'tensor' ? 'shape' : 'positions',
      align: 'end',
      text: ({ shape }) => shape,
      render: ({ shape }) => h('span', { class: 'secondary' }, shape),
    },
    ...tasks.map((task, i) => taskColumn(task, i, theme)),
    {
      key: 'coverage',
      title: 'coverage',
      text: ({ coverage }) => coverage.map(plain).join(' '),
      render: ({ coverage }) => coverageBar(coverage, theme),
    },
    figureColumn(
      'sign conflict',
      ({ conflict }) => conflict,
      (v) => `${percent(v, 1)}${nbsp}%`,
    ),
    figureColumn(
      'cosine',
      ({ cosine }) => cosine,
      (v) => signed(v, 2),
    ),
    figureColumn(
      '‖τ‖, % of base',
      ({ norm }) => norm,
      (v) => percent(v, 2),
    ),
  ];
}

function figureColumn(
  title: string,
  pick: (row: DrawerRow) => Figure | null,
  text: (value: number) => string,
): Column<DrawerRow> {
  return {
    key: title,
    title,
    align: 'end',
    text: (row) => plain(pick(row)),
    render: (row) => text(valueOf(pick(row))),
    order: (a, b) => valueOf(pick(a)) - valueOf(pick(b)),
  };
}

function taskColumn(task: string, place: number, theme: Theme): Column<DrawerRow> {
  return {
    key: `task ${task}`,
    label: task,
    title: () => h('span', { title: task }, taskMarker(theme, place), ` ${task}`),
    align: 'end',
    text: ({ active }) => plain(active[place] ?? null),
    render: ({ active }) =>
      h(
        'span',
        { class: 'ratio' },
        ratioBar(active[place] ?? null, taskMark(theme, place).colour, theme),
        h('span', { class: 'share' }, shareInColumn(active[place])),
      ),
    order: (a, b) => valueOf(a.active[place]) - valueOf(b.active[place]),
  };
}

function plain(figure: Figure | null): string {
  const value = valueOf(figure);
  return Number.isFinite(value) ? String(value) : '';
}

/** 44 px for 0 to 100 %, with a tick for the interval. */
function ratioBar(figure: Figure | null, colour: string, theme: Theme): SVGSVGElement {
  const value = valueOf(figure);
  const [low, high] = [lowOf(figure), highOf(figure)];
  const bar = Number.isFinite(value)
    ? s('rect', { x: 0, y: 2, width: 44 * value, height: 8, fill: colour })
    : null;
  const tick = Number.isFinite(low)
    ? s('path', {
        d: `M${String(44 * low)} 6H${String(44 * high)}`,
        stroke: theme.foreground,
        'stroke-width': 2,
      })
    : null;
  return s(
    'svg',
    { width: 44, height: 12, 'aria-hidden': 'true' },
    s('rect', { class: 'bar-ground', x: 0, y: 2, width: 44, height: 8 }),
    bar,
    tick,
  );
}

function coverageBar(coverage: readonly Figure[], theme: Theme): SVGSVGElement {
  let x = 0;
  const parts = coverageClasses(coverage.map(valueOf)).map((value, level) => {
    const left = x;
    x += value * 84;
    return value > 0
      ? s('rect', {
          x: left,
          y: 0,
          width: value * 84,
          height: 9,
          fill: patternFill(level),
          stroke: theme.contrast ? theme.border : 'none',
        })
      : null;
  });
  return s('svg', { width: 84, height: 10, 'aria-hidden': 'true' }, patterns(theme), ...parts);
}
