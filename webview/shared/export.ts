import type { CommonFromPanel, ExportFormat, RunName } from '../../server/protocol/panels/shared';
import { h } from './dom';
import { figureToPng, figureToSvg } from './figure';
import { icon } from './icons';
import { isInMenu, openMenu } from './menu';

export interface ExportSource {
  /** File name without its ending. */
  readonly name: string;
  /** What is drawn into a picture. */
  readonly page: Drawable;
  readonly csv: () => string;
  /** Last line of a picture: recipe, parameters, source, date. */
  readonly footer: () => string;
  /** Further formats of text, by their ending. */
  readonly texts?: Readonly<Partial<Record<ExportFormat, () => string>>>;
}

type Post = (message: Extract<CommonFromPanel, { type: 'export' | 'copy' }>) => void;

/** A page whose cards can be drawn in its own colours or in those of the light theme. */
export interface Drawable {
  readonly main: HTMLElement;
  readonly inLight: <T>(make: () => T) => T;
}

/** What the menu offers: a format, and for pictures whether they are light on white. */
interface Choice {
  readonly format: ExportFormat;
  readonly label: string;
  readonly light?: boolean;
}

const choices: readonly Choice[] = [
  { format: 'tsv', label: 'Copy table' },
  { format: 'csv', label: 'Save CSV' },
  { format: 'md', label: 'Save Markdown' },
  { format: 'tex', label: 'Save LaTeX' },
  { format: 'png', label: 'Save PNG' },
  { format: 'png', label: 'Save PNG, light on white', light: true },
  { format: 'svg', label: 'Save SVG' },
  { format: 'svg', label: 'Save SVG, light on white', light: true },
];

/** A button that opens the list of formats. */
export function exportMenu(source: ExportSource, post: Post): HTMLElement {
  const offered = choices.filter(
    ({ format }) => (format !== 'md' && format !== 'tex') || source.texts?.[format],
  );
  const items = offered.map((choice) => ({
    label: choice.label,
    run: () => {
      save(source, choice, post);
    },
  }));
  const opener = h(
    'button',
    {
      class: 'plain export-button',
      type: 'button',
      title: 'Export',
      'aria-label': 'Export',
      'aria-haspopup': 'menu',
      // Focus stays in an open menu until the click closes it.
      mousedown: (event) => {
        event.preventDefault();
      },
      click: () => {
        const back = () => {
          opener.focus();
        };
        if (isInMenu(document.activeElement)) back();
        else {
          const { left, bottom } = opener.getBoundingClientRect();
          openMenu('Export', items, { x: left, y: bottom, back });
        }
      },
    },
    icon('export'),
  );
  return opener;
}

function save(source: ExportSource, choice: Choice, post: Post): void {
  const { format } = choice;
  if (format === 'tsv') post({ type: 'copy', text: csvToTsv(source.csv()) });
  else post({ type: 'export', name: source.name, format, content: contentOf(source, choice) });
}

function contentOf(source: ExportSource, { format, light }: Choice): string {
  const text = source.texts?.[format];
  if (text) return text();
  const draw = { svg: figureToSvg, png: figureToPng }[format === 'svg' ? 'svg' : 'png'];
  if (format !== 'svg' && format !== 'png') return source.csv();
  const figure = () => draw(source.page.main, source.footer());
  return light ? source.page.inLight(figure) : figure();
}

/** A run as the last line of a picture names it. */
export function runName({ label, recipeHash }: RunName): string {
  return recipeHash === undefined ? label : `${label} (recipe ${recipeHash})`;
}

/** What every last line ends with. */
export function dateToday(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Spreadsheets paste tab-separated values into cells. */
function csvToTsv(csv: string): string {
  return csv.replace(/"((?:[^"]|"")*)"|,/g, (found, quoted: string | undefined) =>
    quoted === undefined
      ? found === ','
        ? '\t'
        : found
      : quoted.replace(/""/g, '"').replace(/[\t\n]/g, ' '),
  );
}
