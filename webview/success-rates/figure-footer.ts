import type { SuccessSnapshot } from '../../server/protocol/panels/success-rates';
import { dateToday, runName } from '../shared/export';
import { intervalNames } from './model';

/** The last line of a figure: runs and their recipes, conditions, how intervals are made, and the date. */
export function figureFooter({ runs, table, interval, banners }: SuccessSnapshot): string {
  const shown = runs.filter((run) => run.shown);
  const names = shown.length > 4 ? `${String(shown.length)} runs` : shown.map(runName).join(', ');
  const stale = banners.some(({ level }) => level === 'stale') ? 'stale' : '';
  return [names, table?.protocol ?? '', intervalNames[interval], stale, dateToday()]
    .filter((part) => part !== '')
    .join(' · ');
}
