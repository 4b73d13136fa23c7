import type { CommonFromPanel, ExportFormat } from '../../server/protocol/panels/shared';
import { h } from './dom';
import { figureToPng, figureToSvg } from './figure';
import { icon } from './icons';

export interface ExportSource {
  /** File name without its ending. */
  readonly name: string;
  /** What is drawn into a picture. */
  readonly cards: () => HTMLElement;
  readonly csv: () => string;
  /** Last line of a picture: recipe, parameters, source, date. */
  readonly footer: () => string;
  /** Further formats of text, by their ending. */
  readonly texts?: Readonly<Partial<Record<ExportFormat, () => string>>>;
}

type Post = (message: Extract<CommonFromPanel, { type: 'export' | 'copy' }>) => void;

const labels: Readonly<Record<ExportFormat, string>> = {
  csv: 'Save CSV',
  tsv: 'Copy table',
  png: 'Save PNG',
  svg: 'Save SVG',
  md: 'Save Markdown',
  tex: 'Save LaTeX',
};

/** A button that opens the list of formats. */
export function exportMenu(source: ExportSource, post: Post): HTMLElement {
  const formats: readonly ExportFormat[] = [
    'tsv',
    'csv',
    ...(['md', 'tex'] as const).filter((format) => source.texts?.[format]),
    'png',
    'svg',
  ];
  const menu = h(
    'div',
    { class: 'menu', role: 'menu', hidden: true },
    ...formats.map((format) =>
      h(
        'button',
        {
          type: 'button',
          role: 'menuitem',
          tabindex: -1,
          'data-format': format,
          click: () => {
            menu.hidden = true;
            void save(source, format, post);
          },
        },
        labels[format],
      ),
    ),
  );
  const opener = h(
    'button',
    {
      class: 'plain export-button',
      type: 'button',
      title: 'Export',
      'aria-label': 'Export',
      'aria-haspopup': 'menu',
      click: () => {
        menu.hidden = !menu.hidden;
        menu.querySelector<HTMLElement>('button')?.focus();
      },
    },
    icon('export'),
  );
  menu.addEventListener('keydown', (event) => {
    menuKey(event, menu, opener);
  });
  return h('span', { class: 'menu-anchor' }, opener, menu);
}

function menuKey(event: KeyboardEvent, menu: HTMLElement, opener: HTMLElement): void {
  const items = [...menu.querySelectorAll<HTMLElement>('button')];
  const here = items.findIndex((item) => item === document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === 'Escape') {
    menu.hidden = true;
    opener.focus();
  } else if (step !== undefined) items[(here + step + items.length) % items.length]?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

async function save(source: ExportSource, format: ExportFormat, post: Post): Promise<void> {
  if (format === 'tsv') {
    post({ type: 'copy', text: csvToTsv(source.csv()) });
    return;
  }
  post({ type: 'export', name: source.name, format, content: await contentOf(source, format) });
}

async function contentOf(source: ExportSource, format: ExportFormat): Promise<string> {
  const text = source.texts?.[format];
  if (text) return text();
  if (format === 'svg') return figureToSvg(source.cards(), source.footer());
  if (format === 'png') return figureToPng(source.cards(), source.footer());
  return source.csv();
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
