import { fill, h } from '../shared/dom';
import type { SuccessModel } from './model';

/** Under which conditions the numbers hold: one line, and on a click the whole list. */
export function conditionsButton(
  { snapshot: { table }, reporting }: SuccessModel,
  arrange: (part: Partial<SuccessModel>) => void,
): HTMLElement {
  if (!table || table.reporting.length === 0)
    return h('span', { class: 'secondary facts' }, table?.protocol ?? '');
  return h(
    'button',
    {
      class: 'link facts',
      type: 'button',
      title: 'What belongs beside these numbers in print',
      'aria-expanded': String(reporting),
      click: () => {
        arrange({ reporting: !reporting });
      },
    },
    table.protocol === '' ? 'conditions' : table.protocol,
  );
}

/** The whole list, run by run. */
export class ConditionsCard {
  readonly element = h('section', { class: 'card reporting' });

  draw({ snapshot: { table }, reporting }: SuccessModel): void {
    this.element.hidden = !reporting || !table;
    const runs = table?.reporting ?? [];
    fill(
      this.element,
      ...runs.flatMap(({ title, facts }) => [
        h('h2', {}, title),
        h('dl', {}, ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
      ]),
    );
  }
}
