import type { Comparison, RateRow, RowLetters } from '../../server/protocol/panels/success-rates';
import { closeButton } from '../shared/components';
import { h } from '../shared/dom';
import { nbsp, pValue, signed } from '../shared/format';
import { icon } from '../shared/icons';
import type { SuccessModel } from './model';

/** Letters among the selected rows, while three or more of them are. */
export function amongOf({ snapshot, selectedRows }: SuccessModel): RowLetters | undefined {
  const { comparison } = snapshot;
  return selectedRows.length > 2 && comparison && 'letters' in comparison ? comparison : undefined;
}

/** Letters among the selected rows, where there are three or more; none for the others then. */
export function lettersOf(
  model: SuccessModel | undefined,
  row: RateRow | undefined,
): string | undefined {
  const among = model && amongOf(model);
  return among ? among.letters[row?.id ?? ''] : row?.letters;
}

/** The table's foot: what the selected rows say of each other. */
export function selectionLine(model: SuccessModel, clear: () => void): HTMLElement | null {
  const { selectedRows, snapshot } = model;
  const { comparison } = snapshot;
  if (selectedRows.length === 0) return null;
  const among = amongOf(model);
  const line = (...parts: readonly Node[]) =>
    h('p', { class: 'comparison', role: 'status' }, ...parts, closeButton(clear));
  if (among) return line(icon('compare'), ...amongParts(among));
  if (selectedRows.length === 2 && comparison && 'rows' in comparison)
    return line(icon('compare'), ...pairParts(comparison));
  return selectedRows.length === 1
    ? line(secondary('Select more policies by their names: two are compared, more get letters.'))
    : null;
}

const secondary = (text: string): HTMLElement => h('span', { class: 'secondary' }, text);

function amongParts({ letters, test, waiting }: RowLetters): readonly Node[] {
  const count = Object.keys(letters).length;
  const pairs = (count * (count - 1)) / 2;
  const late =
    waiting.length > 0
      ? [secondary(`${waiting.join(', ')}: no letter before the rollouts are done`)]
      : [];
  return [
    h('strong', {}, `Letters among these ${String(count)} policies`),
    secondary(`${test}, corrected over ${String(pairs)} pairs`),
    ...late,
  ];
}

/** Nothing is decided before both are done: until then neither p nor a verdict. */
function pairParts(comparison: Comparison): readonly Node[] {
  const { labels, difference, low, high, pairs, p, test, verdict, after } = comparison;
  const points = (share: number) => signed(share * 100, 1);
  const detail = pairs
    ? `only the first succeeded ${String(pairs.first)} times, only the second ${String(pairs.second)} times of ${String(pairs.shared)} shared seeds`
    : `95${nbsp}% interval ${points(low)} to ${points(high)}, independent seeds`;
  const name = test === 'mcnemar' ? 'McNemar' : 'Barnard';
  return [
    h('span', {}, h('strong', {}, labels[0]), ' against ', h('strong', {}, labels[1])),
    h('strong', {}, `${points(difference)} points`),
    secondary(detail),
    ...(after === undefined ? [secondary(`${name} p ${pValue(p)}`)] : []),
    after === undefined
      ? h('span', { class: 'chip end' }, verdict)
      : h('span', { class: 'chip end secondary' }, `after ${String(after)}`),
  ];
}
