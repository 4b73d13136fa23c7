import { closeButton } from '../shared/components';
import { h } from '../shared/dom';
import { icon } from '../shared/icons';
import type { MaskActions } from './model';

interface Detail {
  readonly title: Node | string;
  readonly facts: string;
  /** Matches the tensors that it is about. */
  readonly glob: string;
  readonly copyLabel: string;
  /** Absent where the recipe may not be edited. */
  readonly excludeLabel: string | undefined;
  readonly close: () => void;
}

/** Heads what was chosen in the panel: what it is, and what can be done with its tensors. */
export function detailHeading(detail: Detail, actions: MaskActions): HTMLElement {
  const { title, facts, glob, copyLabel, excludeLabel, close } = detail;
  const action = (label: string, run: () => void, mark?: Node) =>
    h('button', { class: 'link', type: 'button', click: run }, mark ?? null, label);
  return h(
    'div',
    { class: 'heading' },
    h('h2', {}, title),
    h('span', { class: 'secondary' }, facts),
    h(
      'span',
      { class: 'end' },
      action(
        'Go to scope in recipe',
        () => {
          actions.reveal('scope');
        },
        icon('goto'),
      ),
      excludeLabel === undefined
        ? null
        : action(excludeLabel, () => {
            actions.exclude(glob);
          }),
      action(copyLabel, () => {
        actions.copy(glob);
      }),
      closeButton(close),
    ),
  );
}
