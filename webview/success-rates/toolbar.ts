import type {
  FromSuccessPanel,
  IntervalName,
  RateTable,
} from '../../server/protocol/panels/success-rates';
import { toCsv, toLatex, toMarkdown } from '../../server/evaluate/rates/write';
import { button, select, twinButton } from '../shared/components';
import { h } from '../shared/dom';
import { exportMenu, type Drawable, type ExportSource } from '../shared/export';
import { icon } from '../shared/icons';
import { conditionsButton } from './conditions';
import { figureFooter } from './figure-footer';
import type { SuccessModel } from './model';
import { intervalNames } from './model';

/** What the toolbar can do beside what the host is asked for. */
export interface ToolbarActions {
  readonly post: (message: FromSuccessPanel) => void;
  readonly arrange: (part: Partial<SuccessModel>) => void;
  /** What is drawn into an exported picture. */
  readonly page: Drawable;
}

/** Which runs, interval and paper are shown, under which conditions; then twin, export and the main actions. */
export function successToolbar(model: SuccessModel, actions: ToolbarActions): readonly Node[] {
  const { snapshot, twin } = model;
  const { post, arrange } = actions;
  if (snapshot.trials) return [h('span', { class: 'secondary facts' }, 'Trials on a robot')];
  return [
    runChoice(model, post),
    intervalChoice(model, post),
    paperChoice(model, post),
    conditionsButton(model, arrange),
    h(
      'span',
      { class: 'end' },
      twinButton(twin, () => {
        arrange({ twin: !twin });
      }),
      exportMenu(exportSource(model, actions.page), post),
      button('Import results', { disabled: !snapshot.trusted }, () => {
        post({ type: 'import' });
      }),
      mainButton(model, post),
    ),
  ];
}

type Post = ToolbarActions['post'];

/** A run that is chosen is shown or hidden. */
function runChoice({ snapshot: { runs } }: SuccessModel, post: Post): HTMLElement {
  const shown = runs.filter((run) => run.shown).length;
  const count = { value: '', label: `${String(shown)} ${shown === 1 ? 'run' : 'runs'}` };
  const choices = runs.map((run) => ({
    value: run.id,
    label: `${run.shown ? '✓' : '\u2003'} ${run.label}`,
  }));
  return select('Runs', [count, ...choices], '', (id) => {
    const run = runs.find((item) => item.id === id);
    if (run) post({ type: 'showRun', id, shown: !run.shown });
  });
}

function intervalChoice({ snapshot: { interval } }: SuccessModel, post: Post): HTMLElement {
  const names = Object.keys(intervalNames) as IntervalName[];
  const choices = names.map((value) => ({ value, label: intervalNames[value] }));
  return select('Interval', choices, interval, (value) => {
    const kind = names.find((name) => name === value);
    if (kind) post({ type: 'setInterval', kind });
  });
}

function paperChoice({ snapshot: { papers } }: SuccessModel, post: Post): HTMLElement {
  const choices = papers.map(({ id, label }) => ({ value: id, label }));
  const chosen = papers.find((paper) => paper.shown)?.id ?? '';
  return select('Paper', [{ value: '', label: 'No paper' }, ...choices], chosen, (id) => {
    post({ type: 'showPaper', id });
  });
}

function mainButton({ snapshot: { table, trusted } }: SuccessModel, post: Post): HTMLElement {
  const rows = table?.groups.flatMap((group) => group.rows) ?? [];
  if (rows.some(({ state }) => state === 'running'))
    return button('Stop', {}, () => {
      post({ type: 'stop' });
    });
  const reason = trusted ? {} : { title: 'The workspace is not trusted' };
  return button(
    'Evaluate',
    { primary: true, disabled: !trusted, ...reason },
    () => {
      post({ type: 'evaluate' });
    },
    icon('play'),
  );
}

function exportSource({ snapshot }: SuccessModel, page: Drawable): ExportSource {
  const { table } = snapshot;
  return {
    name: 'success-rates',
    page,
    csv: () => (table ? toCsv(table) : ''),
    texts: textsOf(table),
    footer: () => figureFooter(snapshot),
  };
}

/** Text forms of the whole table, while there is one. */
function textsOf(table: RateTable | undefined): NonNullable<ExportSource['texts']> {
  return table ? { md: () => toMarkdown(table), tex: () => toLatex(table) } : {};
}
