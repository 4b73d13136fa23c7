export type ThemeKind = 'dark' | 'light' | 'contrast-dark' | 'contrast-light';

/** Every colour that is drawn by script, read from the theme's variables. */
export interface Theme {
  readonly kind: ThemeKind;
  readonly contrast: boolean;
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  readonly border: string;
  readonly focus: string;
  readonly error: string;
  readonly tasks: readonly string[];
  /** Unused, selfish, shared, universal. */
  readonly coverage: readonly string[];
  /** Eight stops from low to high. */
  readonly depth: readonly string[];
  /** Seven stops from opposed over unrelated to agreeing. */
  readonly accord: readonly string[];
  readonly font: string;
  readonly codeFont: string;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (...names: readonly string[]) => {
    for (const name of names) {
      const value = style.getPropertyValue(`--vscode-${name}`).trim();
      if (value) return value;
    }
    return getComputedStyle(document.body).color;
  };
  const list = (name: string, count: number, first: number) =>
    Array.from({ length: count }, (_, i) => read(`mergevla-${name}${String(i + first)}`));
  const kind = themeKind();
  return {
    kind,
    contrast: kind.startsWith('contrast'),
    background: read('editor-background'),
    foreground: read('foreground', 'editor-foreground'),
    muted: read('descriptionForeground', 'foreground'),
    border: read('contrastBorder', 'panel-border', 'foreground'),
    focus: kind.startsWith('contrast')
      ? read('contrastActiveBorder', 'focusBorder')
      : read('focusBorder'),
    error: read('errorForeground', 'foreground'),
    tasks: list('task', 6, 1),
    coverage: ['Unused', 'Selfish', 'Shared', 'Universal'].map((n) =>
      read(`mergevla-coverage${n}`),
    ),
    depth: list('depth', 8, 0),
    accord: list('accord', 7, 0),
    font: read('font-family'),
    codeFont: read('editor-font-family', 'font-family'),
  };
}

/** The light high-contrast theme carries both classes, so it is tested for first. */
export function themeKind(): ThemeKind {
  const { classList } = document.body;
  if (classList.contains('vscode-high-contrast-light')) return 'contrast-light';
  if (classList.contains('vscode-high-contrast')) return 'contrast-dark';
  return classList.contains('vscode-light') ? 'light' : 'dark';
}

export function reducedMotion(): boolean {
  return document.body.classList.contains('vscode-reduce-motion');
}

/** Calls back after the editor changed the theme: its class on the body, its variables on the root. */
export function onThemeChange(callback: (theme: Theme) => void): void {
  const observer = new MutationObserver(() => {
    callback(readTheme());
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
