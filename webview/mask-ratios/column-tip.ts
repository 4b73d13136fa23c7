import type { SectionView } from '../../server/protocol/panels/mask-ratios';
import { h } from '../shared/dom';
import { nbsp, percent } from '../shared/format';
import { taskMarker } from '../shared/tasks';
import type { MaskModel } from './model';
import { activeAt, conflictAt } from './model';
import type { TrackColumn } from './track-layout';

/** Number of blocks before a section. */
export function sectionStart(sections: readonly SectionView[], section: number): number {
  return sections.slice(0, section).reduce((sum, { blocks }) => sum + blocks.length, 0);
}

/** Name of a block that is counted over all sections. */
export function blockLabel(
  sections: readonly SectionView[],
  section: number,
  block: number,
): string {
  return sections[section]?.blocks[block - sectionStart(sections, section)]?.label ?? '';
}

interface TipRow {
  readonly task: string;
  readonly place: number;
  readonly value: number;
  readonly half: number;
}

/** Ratios of one column by value, largest first; twelve are enough to read. */
function tipRows({ snapshot }: MaskModel, block: number): readonly TipRow[] {
  const { view, recipe, sections } = snapshot;
  const blocks = sections.reduce((sum, section) => sum + section.blocks.length, 0);
  if (!view || !recipe) return [];
  return recipe.tasks
    .map((task, place) => {
      const at = (part: number) => activeAt(view, blocks, [place, block, part]);
      return { task, place, value: at(0), half: (at(2) - at(1)) / 2 };
    })
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => b.value - a.value)
    .slice(0, 12);
}

/** The two-column tooltip sorted by value, and the same in one sentence. */
export function describeColumn(
  model: MaskModel,
  column: TrackColumn,
): { content: HTMLElement; spoken: string } {
  const { view, sections } = model.snapshot;
  const name = (block: number) => blockLabel(sections, column.section, block);
  const place =
    column.to > column.from ? `${name(column.from)}–${name(column.to)}` : name(column.from);
  const title = `${sections[column.section]?.component ?? ''} ${place}`;
  const rows = tipRows(model, column.from);
  const conflict = view ? conflictAt(view, column.from, 0) : Number.NaN;
  const content = h(
    'div',
    { class: 'mark-tip' },
    h(
      'div',
      { class: 'tip-title' },
      h('strong', {}, title),
      h(
        'span',
        { class: 'secondary' },
        rows.every(({ half }) => half === 0) ? 'active ratio' : '≈ active ratio',
      ),
    ),
    h('div', { class: 'tip-columns' }, ...rows.map((row) => tipCell(model, row))),
    h('div', { class: 'secondary' }, `sign conflict ${percent(conflict, 1)}${nbsp}%`),
  );
  return { content, spoken: `${title}: ${rows.map(spokenRow).join('; ')}` };
}

function tipCell({ theme }: MaskModel, { task, place, value, half }: TipRow): HTMLElement {
  const number = half > 0 ? `${percent(value, 1)} ± ${percent(half, 1)}` : percent(value, 2);
  return h(
    'div',
    {},
    taskMarker(theme, place),
    h('span', {}, task),
    h('span', { class: 'end' }, `${number}${nbsp}%`),
  );
}

function spokenRow({ task, value, half }: TipRow): string {
  if (half > 0) return `${task} ${percent(value, 1)} percent, plus or minus ${percent(half, 1)}`;
  return `${task} ${percent(value, 2)} percent`;
}
