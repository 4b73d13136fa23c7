// The only file that names the component library: its elements are registered by loading them.
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import { h } from './dom';
import { icon } from './icons';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A drop-down list. */
export function select(
  label: string,
  choices: readonly Choice[],
  chosen: string,
  onchange: (value: string) => void,
): HTMLElement {
  const element = h(
    'vscode-single-select',
    {
      label,
      'aria-label': label,
      change: (event) => {
        const { value } = event.currentTarget as HTMLElement & { value?: unknown };
        if (typeof value === 'string') onchange(value);
      },
    },
    ...choices.map(({ value, label: text }) =>
      h('vscode-option', { value, selected: value === chosen }, text),
    ),
  );
  return element;
}

/** The cross in the corner of what can be put away. */
export function closeButton(close: () => void): HTMLElement {
  return h(
    'button',
    { class: 'plain', type: 'button', title: 'Close', 'aria-label': 'Close', click: close },
    icon('close'),
  );
}

export function button(
  label: string,
  options: { readonly primary?: boolean; readonly disabled?: boolean; readonly title?: string },
  onclick: () => void,
  before?: Node,
): HTMLElement {
  const element = h(
    'vscode-button',
    {
      secondary: options.primary !== true,
      disabled: options.disabled,
      title: options.title,
      click: () => {
        if (options.disabled !== true) onclick();
      },
    },
    label,
  );
  if (before) {
    if (before instanceof Element) before.setAttribute('slot', 'content-before');
    element.prepend(before);
  }
  return element;
}

/** Turns a panel's charts into tables and back. */
export function twinButton(pressed: boolean, onclick: () => void): HTMLElement {
  return h(
    'button',
    {
      class: 'plain',
      type: 'button',
      title: 'Tables instead of charts (T)',
      'aria-label': 'Tables instead of charts',
      'aria-pressed': String(pressed),
      click: onclick,
    },
    icon('table'),
  );
}

/** A row of buttons of which one is pressed; arrows move, as in a radio group. */
export function segments(
  label: string,
  choices: readonly (Choice & { readonly before?: Node })[],
  chosen: string,
  onchange: (value: string) => void,
): HTMLElement {
  const buttons = choices.map((choice) =>
    h(
      'button',
      {
        type: 'button',
        role: 'radio',
        class: 'segment',
        'aria-checked': String(choice.value === chosen),
        tabindex: choice.value === chosen ? 0 : -1,
        'data-value': choice.value,
        click: () => {
          onchange(choice.value);
        },
      },
      choice.before ?? null,
      choice.label,
    ),
  );
  return h(
    'div',
    {
      class: 'segments',
      role: 'radiogroup',
      'aria-label': label,
      keydown: (event) => {
        if (!(event instanceof KeyboardEvent)) return;
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const from = buttons.findIndex((item) => item === document.activeElement);
        const next = choices[(from + step + choices.length) % choices.length];
        if (!next) return;
        const { parentElement } = buttons[0] ?? {};
        onchange(next.value);
        // The caller may have drawn the group anew: focus goes to the one with the same value.
        const group = parentElement?.isConnected ? parentElement : document;
        group
          .querySelector<HTMLElement>(`.segment[data-value="${CSS.escape(next.value)}"]`)
          ?.focus();
      },
    },
    ...buttons,
  );
}
