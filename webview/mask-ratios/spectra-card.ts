import type {
  FromSpectra,
  SpectraDelta,
  SpectraRange,
  SpectraView,
} from '../../server/protocol/panels/spectra';
import { button } from '../shared/components';
import { fill, h, styled } from '../shared/dom';
import { bytes, shorten } from '../shared/format';
import { icon } from '../shared/icons';
import { link } from '../shared/states';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { MaskActions, MaskModel } from './model';
import { rangeOf } from './model';
import { SpectrumFigures } from './spectrum-figures';
import { spectraOf } from './spectra-model';

interface Tools {
  readonly tooltip: Tooltip;
  readonly live: LiveRegion;
  readonly post: (message: FromSpectra) => void;
}

/** A delta replaces what comes from its place on; what was measured before it stays. */
export function withDelta(
  before: SpectraView | undefined,
  { from, spectra }: SpectraDelta,
): SpectraView {
  const kept = before?.tensors.slice(0, from) ?? [];
  return { ...spectra, tensors: [...kept, ...spectra.tensors] };
}

/** Singular spectra of the task vectors: measured when asked for, drawn as far as they are known. */
export class SpectraCard {
  readonly element = h('section', { class: 'card spectra' });
  private readonly heading = h('div', { class: 'heading' });
  private readonly about = h('p', { class: 'secondary about' });
  private readonly figures: SpectrumFigures;

  constructor(
    private readonly tools: Tools,
    private readonly actions: Pick<MaskActions, 'measureSpectra'>,
  ) {
    this.figures = new SpectrumFigures(tools);
    this.element.append(this.heading, this.about, this.figures.element);
  }

  draw(model: MaskModel): void {
    const view = spectraOf(model);
    fill(
      this.heading,
      h('h2', {}, 'Singular spectra of the task vectors'),
      h('span', { class: 'secondary' }, view ? factsOf(view) : ''),
      h('span', { class: 'end' }, ...this.controls(model, view)),
    );
    fill(this.about, ...aboutText(view));
    this.figures.draw(model);
  }

  private controls(model: MaskModel, view: SpectraView | undefined): readonly HTMLElement[] {
    const { post } = this.tools;
    const measure = (label: string, range: SpectraRange) => {
      const { trusted } = model.snapshot;
      const state = trusted ? {} : { disabled: true, title: 'The workspace is not trusted' };
      return button(`Measure ${label}`, state, () => {
        this.actions.measureSpectra(range);
      });
    };
    if (view?.state === 'measuring') {
      const stop = link('Stop', 'stop', () => {
        post({ type: 'stopSpectra' });
      });
      return [progressBar(view), stop];
    }
    const range = rangeOf(model.snapshot, model.selection);
    const title = model.snapshot.drawer?.title;
    return [
      ...(range && title !== undefined ? [measure(shorten(title, 40), range)] : []),
      measure('all matrices', null),
    ];
  }
}

function factsOf({ title, scope, done, tensors, state }: SpectraView): string {
  const count = (n: number) => `${String(n)} ${n === 1 ? 'matrix' : 'matrices'}`;
  if (state === 'measuring') return title;
  const all = scope?.matrices ?? done;
  const part = done < all ? `${String(done)} of ${count(all)} read` : count(tensors.length);
  const same = done - tensors.length;
  const unchanged = same > 0 ? ` · ${String(same)} more that no expert changed` : '';
  return `${title} · ${part}${unchanged} · exact, in float64`;
}

function aboutText(view: SpectraView | undefined): (Node | string)[] {
  if (!view)
    return [
      'They decide what Iso-C, Iso-CTS, TSV and KnOTS do. Measuring reads every chosen matrix of base and experts once and decomposes it exactly; select blocks above to measure only those.',
    ];
  const sentence = stateSentence(view);
  return [...(view.state === 'failed' ? [icon('error'), ' '] : []), sentence, leftOut(view)];
}

function stateSentence({ state, message = '', tensors }: SpectraView): string {
  if (state === 'failed') return `${message} `;
  if (state === 'stopped') return 'Stopped; what was measured is kept and is not measured again. ';
  if (state === 'done' && tensors.length === 0) return 'No expert changed any of these matrices. ';
  return '';
}

function leftOut({ scope }: SpectraView): string {
  const skipped = (scope?.skipped ?? []).map(
    ({ name, bytes: needed }) => `${name} needs ${bytes(needed)}`,
  );
  return skipped.length > 0 ? `Left out, more than run.memory: ${skipped.join(', ')}. ` : '';
}

function progressBar({ scope, done }: SpectraView): HTMLElement {
  const total = scope?.matrices ?? 0;
  const percent = total > 0 ? (100 * done) / total : 0;
  const text = total > 0 ? `${String(done)} of ${String(total)} matrices` : 'reading headers';
  const bar = { role: 'progressbar', 'aria-label': 'Measuring spectra' };
  return h(
    'span',
    { class: 'spectra-progress' },
    h(
      'div',
      { class: 'progress', ...bar, 'aria-valuenow': Math.round(percent) },
      styled(h('div'), { width: `${String(percent)}%` }),
    ),
    h('span', { class: 'secondary' }, text),
  );
}
