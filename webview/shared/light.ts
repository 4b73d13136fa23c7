import { isRecord, isString } from '../../server/protocol/shape';
import type { Theme } from './theme';
import { readTheme } from './theme';

/** The editor's own light theme on white: every colour variable that our pages name, or unset. */
export const surfaces: Readonly<Record<string, string>> = {
  foreground: '#3B3B3B',
  descriptionForeground: '#616161',
  disabledForeground: '#8B8B8B',
  errorForeground: '#C42B1C',
  focusBorder: '#005FB8',
  contrastBorder: '',
  contrastActiveBorder: '',
  'editor-background': '#FFFFFF',
  'editor-foreground': '#3B3B3B',
  'editorHoverWidget-background': '#F8F8F8',
  'editorHoverWidget-border': '#C8C8C8',
  'editorHoverWidget-foreground': '#3B3B3B',
  'editorWarning-foreground': '#8F6600',
  'panel-border': '#E5E5E5',
  'button-background': '#005FB8',
  'button-border': '#CCCCCC',
  'button-foreground': '#FFFFFF',
  'button-secondaryBackground': '#E5E5E5',
  'button-secondaryForeground': '#3B3B3B',
  'button-secondaryHoverBackground': '#CCCCCC',
  'input-background': '#FFFFFF',
  'input-border': '#CECECE',
  'input-foreground': '#3B3B3B',
  'inputOption-activeBackground': '#BED6ED',
  'inputOption-activeBorder': '#005FB8',
  'inputOption-activeForeground': '#000000',
  'list-hoverBackground': '#F2F2F2',
  'list-inactiveSelectionBackground': '#E4E6F1',
  'menu-background': '#FFFFFF',
  'menu-border': '#CECECE',
  'menu-foreground': '#3B3B3B',
  'progressBar-background': '#005FB8',
  'testing-iconPassed': '#388A34',
  'textLink-foreground': '#005FB8',
};

/**
 * What `make` makes while the page has the colours of the light theme. All of it happens within one
 * task, so no frame shows it. `draw` draws the page anew.
 */
export function inLightTheme<T>(draw: (theme: Theme) => void, make: () => T): T {
  const { style } = document.documentElement;
  const { classList } = document.body;
  const wanted = Object.entries({ ...surfaces, ...contributed() });
  const variables = wanted.map(([name]) => `--vscode-${name}`);
  const before = variables.map((name) => style.getPropertyValue(name));
  const classes = [...classList].filter((name) => /^vscode-(dark|light|high-contrast)/.test(name));
  const paint = (values: readonly string[]) => {
    variables.forEach((name, i) => {
      style.setProperty(name, values[i] ?? '');
    });
    draw(readTheme());
  };
  classList.remove(...classes);
  classList.add('vscode-light');
  try {
    paint(wanted.map(([, value]) => value));
    return make();
  } finally {
    classList.remove('vscode-light');
    classList.add(...classes);
    paint(before);
  }
}

/** Our own colours as the manifest has them for light themes; the host has put them into the page. */
function contributed(): Readonly<Record<string, string>> {
  const given: unknown = JSON.parse(document.body.dataset['light'] ?? '{}');
  if (!isRecord(given)) return {};
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (isString(value) ? [[name, value]] : [])),
  );
}
