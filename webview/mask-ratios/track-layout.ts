import type { SectionView } from '../../server/protocol/panels/mask-ratios';

/** Blocks `from` to `to` (inclusive, over all sections) drawn as one column. */
export interface TrackColumn {
  readonly section: number;
  readonly from: number;
  readonly to: number;
  /** Left edge and width in pixels, from the end of the gutter. */
  readonly x: number;
  readonly width: number;
}

export interface TrackSection {
  readonly index: number;
  readonly x: number;
  readonly width: number;
  readonly columns: readonly TrackColumn[];
  /** Blocks that are shown. */
  readonly blocks: number;
  /** Blocks a column; more than 1 when there is no room for each. */
  readonly bin: number;
}

export interface TrackLayout {
  readonly gutter: number;
  readonly width: number;
  readonly sections: readonly TrackSection[];
  readonly columns: readonly TrackColumn[];
}

const gap = 14;
const leastSection = 72;
/** Columns narrower than this are binned. */
const leastColumn = 6;

/** Blocks of one section, by their place in it. */
interface Range {
  readonly section: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Places the columns of all tracks on one horizontal scale. `only` shows a single section alone, -1 all;
 * first blocks of the sections are counted over all of them, as the data are.
 */
export function layoutTracks(
  sections: readonly SectionView[],
  width: number,
  options: { readonly gutter: number; readonly only: number; readonly zoom?: Range | undefined },
): TrackLayout {
  const starts: number[] = [];
  sections.reduce((sum, { blocks }) => {
    starts.push(sum);
    return sum + blocks.length;
  }, 0);
  const shown = sections
    .map((section, index) => {
      const start = starts[index] ?? 0;
      const all = { index, blocks: section.blocks.length, start };
      const { zoom } = options;
      if (zoom?.section !== index) return all;
      const to = Math.min(zoom.to, all.blocks - 1);
      return { index, blocks: Math.max(0, to - zoom.from + 1), start: start + zoom.from };
    })
    .filter(({ index, blocks }) => blocks > 0 && (options.only < 0 || options.only === index));
  const space = Math.max(60, width - options.gutter - gap * Math.max(0, shown.length - 1));
  const widths = shares(
    shown.map(({ blocks }) => blocks),
    space,
  );
  let x = 0;
  const placed = shown.map(({ index, blocks, start }, i): TrackSection => {
    const sectionWidth = widths[i] ?? 0;
    const bin = Math.max(1, Math.ceil((leastColumn * blocks) / sectionWidth));
    const count = Math.ceil(blocks / bin);
    const left = x;
    x += sectionWidth + gap;
    const columns = Array.from({ length: count }, (_, c) => ({
      section: index,
      from: start + c * bin,
      to: start + Math.min(blocks, (c + 1) * bin) - 1,
      x: left + (c * sectionWidth) / count,
      width: sectionWidth / count,
    }));
    return { index, x: left, width: sectionWidth, columns, bin, blocks };
  });
  return {
    gutter: options.gutter,
    width: Math.max(0, x - gap),
    sections: placed,
    columns: placed.flatMap(({ columns }) => columns),
  };
}

/** Width by number of blocks, but never less than what a name and three columns need. */
function shares(blocks: readonly number[], space: number): readonly number[] {
  const least = Math.min(leastSection, space / Math.max(1, blocks.length));
  const total = blocks.reduce((a, b) => a + b, 0);
  const small = blocks.map((count) => (space * count) / total < least);
  const rest = space - small.filter(Boolean).length * least;
  const wide = blocks.reduce((sum, count, i) => (small[i] ? sum : sum + count), 0);
  return blocks.map((count, i) => (small[i] ? least : (rest * count) / wide));
}
