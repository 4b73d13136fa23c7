import type { RateCell } from '../../protocol/panels/success-rates';
import type { RateAverage, RateTableData } from './summary';

/** A cell of any table: errors were crashes, `printed` is a paper's rate without counts. */
type CountedCell = Pick<RateCell, 'successes' | 'trials' | 'low' | 'high'> &
  Partial<Pick<RateCell, 'errors' | 'printed'>>;

/** `18/20  90 %  [70, 97]`: with counts; a paper that prints none has its rate only. */
export function cellText(cell: CountedCell): string {
  const { successes, trials, low, high, errors = 0, printed } = cell;
  const crashed = errors === 0 ? '' : ` +${errors} crashed`;
  if (trials > 0) {
    const share = percentOf(trials);
    return `${successes}/${trials}  ${share(successes / trials)} %  [${share(low)}, ${share(high)}]${crashed}`;
  }
  if (printed === undefined) return `–${crashed}`;
  const isWhole = Math.round(printed * 1000) % 10 === 0;
  return `${(printed * 100).toFixed(isWhole ? 0 : 1)} %${crashed}`;
}

/** The mean over tasks: a rate with its interval. */
export function averageText({ rate, low, high, trials }: RateAverage): string {
  if (rate === null) return '–';
  const share = percentOf(trials);
  return `${share(rate)} %  [${share(low)}, ${share(high)}]`;
}

/** No decimals up to a hundred rollouts, one above. */
function percentOf(trials: number): (share: number) => string {
  return (share) => (share * 100).toFixed(trials > 100 ? 1 : 0);
}

/** Policies × tasks as rows of text; the last columns are the average and the router's hits. */
export function rateRows(table: RateTableData): {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const isRouted = table.averages.some(({ routed }) => routed !== undefined);
  const rows = table.averages.map((average) => [
    average.policy,
    ...table.tasks.map((task) => {
      const cell = table.cells.find(
        (c) => c.policy === average.policy && c.task === task && c.expert === undefined,
      );
      return cell ? cellText(cell) : '–';
    }),
    averageText(average),
    ...(isRouted ? [average.routed ? `${average.routed.right}/${average.routed.known}` : ''] : []),
  ]);
  const titles = ['policy', ...table.tasks, 'average', ...(isRouted ? ['routed right'] : [])];
  return { titles, rows };
}

/** Expert × task where experts acted on tasks of others; the diagonal is their own. No rows without. */
export function crossRows(table: RateTableData): {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const titles = ['expert', ...table.tasks];
  if (!table.cells.some(({ expert }) => expert !== undefined)) return { titles, rows: [] };
  const rows = table.tasks.map((expert) => [
    expert,
    ...table.tasks.map((task) => {
      const cell = table.cells.find(
        (c) =>
          c.policy === 'experts' &&
          c.task === task &&
          (expert === task ? c.expert === undefined : c.expert === expert),
      );
      return cell ? cellText(cell) : '–';
    }),
  ]);
  return { titles, rows };
}

/** Markdown for the model card. */
export function ratesSection(table: RateTableData, protocol: string): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const markdown = ({ titles, rows }: ReturnType<typeof rateRows>): string =>
    [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
  const cross = crossRows(table);
  return [
    `Successes of rollouts, the rate, and its 95 % Wilson interval (${protocol}).`,
    markdown(rateRows(table)),
    ...(cross.rows.length > 0 ? ['Experts on each other’s tasks:', markdown(cross)] : []),
  ].join('\n\n');
}
