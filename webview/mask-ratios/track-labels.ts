import type {
  MaskView,
  ParameterName,
  SectionView,
} from '../../server/protocol/panels/mask-ratios';
import { h, styled } from '../shared/dom';
import { sectionStart } from './column-tip';
import { nbsp } from '../shared/format';
import { parameterText, readsAll } from './model';
import type { TrackLayout } from './track-layout';
import type { TrackInput } from './tracks';

/** A track's name with its scale beside it. */
export function trackName(name: string, ...after: Node[]): HTMLElement {
  return h('div', { class: 'track-name small' }, h('strong', {}, name), ...after);
}

/** Names of the sections over the tracks, and how many blocks they have. */
export function sectionHeads(sections: readonly SectionView[], layout: TrackLayout): HTMLElement {
  return h(
    'div',
    { class: 'section-heads small' },
    ...layout.sections.map(({ index, x, width, blocks }) => {
      const section = sections[index];
      const count = section?.blocks.length ?? 0;
      const shown = blocks === count ? String(count) : `${String(blocks)} of ${String(count)}`;
      return styled(
        h(
          'div',
          { title: section?.label ?? '' },
          h('span', { class: 'section-label' }, section?.label ?? ''),
          width > 150
            ? h(
                'span',
                { class: 'secondary small' },
                `${shown} ${count === 1 ? 'block' : 'blocks'}`,
              )
            : null,
        ),
        { left: `${String(layout.gutter + x)}px`, width: `${String(width)}px` },
      );
    }),
  );
}

/** Under the last track: every fourth block, or each where there is room for names. */
export function blockNumbers(sections: readonly SectionView[], layout: TrackLayout): HTMLElement {
  return h(
    'div',
    { class: 'block-numbers small secondary' },
    ...layout.sections.flatMap((placed) => {
      const start = sectionStart(sections, placed.index);
      const every =
        placed.columns.length <= 4
          ? 1
          : Math.max(4, Math.ceil(30 / (placed.width / placed.columns.length) / 4) * 4);
      return placed.columns
        .filter((_, i) => i % every === 0)
        .map((column) =>
          styled(h('span', {}, sections[placed.index]?.blocks[column.from - start]?.label ?? ''), {
            left: `${String(layout.gutter + column.x + column.width / 2)}px`,
          }),
        );
    }),
  );
}

/** At which parameters the tracks are drawn, and how they are to be read. */
export function subtitle(
  { parameters, source }: MaskView,
  bin: number | undefined,
  tasks: readonly string[],
): string {
  const text = (name: ParameterName) => parameterText(parameters, name, tasks);
  const at = `${text('lambda')}, ${text('alpha')}`;
  const how = readsAll(source) ? 'exact' : `bands are 95${nbsp}% intervals`;
  const binned = bin ? ` · ${String(bin)} blocks a column, shaded from lowest to highest` : '';
  return `${at} · ${how}${binned}`;
}

/** What a track's name says behind it when a pair is shown. */
export function pairName({ pair, tasks }: TrackInput): string {
  return pair ? `: ${tasks[pair.first] ?? ''} and ${tasks[pair.second] ?? ''}` : '';
}
