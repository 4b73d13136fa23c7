import type { Banner, Phase } from '../../server/protocol/panels/shared';
import { h, styled } from './dom';
import { bytes } from './format';
import type { IconName } from './icons';
import { icon } from './icons';

type Act = (id: string) => void;

const icons: Readonly<Record<Banner['level'], IconName>> = {
  error: 'error',
  stale: 'stale',
  warning: 'warning',
};
const order: readonly Banner['level'][] = ['error', 'stale', 'warning'];

/** The worst banner, and how many more there are: `open` lists them all. */
export function bannerStrip(banners: readonly Banner[], open: boolean, act: Act): HTMLElement[] {
  const sorted = [...banners].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  const shown = open ? sorted : sorted.slice(0, 1);
  const rest = sorted.length - shown.length;
  return shown.map((banner) =>
    h(
      'div',
      { class: `banner ${banner.level}`, role: banner.level === 'error' ? 'alert' : 'status' },
      icon(icons[banner.level]),
      h(
        'span',
        { class: 'banner-text' },
        `${banner.text}. `,
        banner.code ? h('code', {}, banner.code) : null,
      ),
      rest > 0
        ? h(
            'button',
            {
              class: 'link',
              type: 'button',
              click: () => {
                act('banners');
              },
            },
            `and ${String(rest)} more`,
          )
        : null,
      banner.action ? link(banner.action.label, banner.action.id, act) : null,
    ),
  );
}

export function link(label: string, id: string, act: Act): HTMLButtonElement {
  return h(
    'button',
    {
      class: 'link',
      type: 'button',
      click: () => {
        act(id);
      },
    },
    label,
  );
}

/** What stands in the place of the panel's cards; nothing when there are numbers to show. */
export function phaseView(phase: Phase, act: Act): HTMLElement | undefined {
  switch (phase.kind) {
    case 'ready':
      return undefined;
    case 'empty':
      return h(
        'section',
        { class: 'card empty' },
        h('p', { class: 'empty-title' }, phase.title),
        h('p', { class: 'secondary' }, phase.text),
        h(
          'p',
          { class: 'actions' },
          ...phase.actions.map(({ label, id }, i) =>
            h(
              'vscode-button',
              {
                secondary: i > 0,
                click: () => {
                  act(id);
                },
              },
              label,
            ),
          ),
        ),
      );
    case 'loading':
      return loading(phase, act);
  }
}

/** The layout as grey blocks, with how far it is; the style sheet shows it only after 150 ms. */
function loading(phase: Extract<Phase, { kind: 'loading' }>, act: Act): HTMLElement {
  const { done, total } = phase;
  const bar = h(
    'div',
    { class: 'progress', role: 'progressbar', 'aria-label': phase.text },
    h('div'),
  );
  const known = done !== undefined && total !== undefined && total > 0;
  if (known) {
    bar.setAttribute('aria-valuenow', String(Math.round((100 * done) / total)));
    if (bar.firstElementChild instanceof HTMLElement)
      styled(bar.firstElementChild, { width: `${String((100 * done) / total)}%` });
  }
  const block = (kind: string) => h('div', { class: `skeleton ${kind}` });
  return h(
    'section',
    { class: 'card loading', 'aria-busy': 'true' },
    h(
      'div',
      { class: 'loading-line' },
      bar,
      h('span', {}, known ? `${phase.text}: ${bytes(done)} of ${bytes(total)}` : phase.text),
      link('Stop', 'stop', act),
      ...(phase.waitingFor === undefined
        ? []
        : [
            h('span', { class: 'secondary' }, `Waiting for ${phase.waitingFor}. `),
            link('Retry', 'retry', act),
            link('Show Log', 'showLog', act),
          ]),
    ),
    block('short'),
    block('short'),
    block('short'),
    block('tall'),
  );
}
