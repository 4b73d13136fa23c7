import type { FromSuccessPanel, TrialForm } from '../../server/protocol/panels/success-rates';
import { button, segments } from '../shared/components';
import { fill, h } from '../shared/dom';
import { duration } from '../shared/format';
import type { LiveRegion } from '../shared/tooltip';

type Post = (message: Extract<FromSuccessPanel, { type: 'trial' | 'undoTrial' }>) => void;
type Outcome = 'success' | 'failure' | 'void';

const keys: ReadonlyMap<string, Outcome> = new Map([
  ['s', 'success'],
  ['f', 'failure'],
  ['v', 'void'],
]);

/** Trials on a real robot: one question at a time, and nothing of the results before all are done. */
export class TrialCard {
  readonly element = h('section', { class: 'card trials' });
  private form: TrialForm | undefined;
  private reason = '';
  private started = performance.now();
  private readonly note = h('input', {
    type: 'text',
    class: 'trial-note',
    placeholder: 'Note',
    'aria-label': 'Note',
  });
  private readonly clock = h('span', { class: 'secondary', role: 'timer' });

  constructor(
    private readonly post: Post,
    private readonly live: LiveRegion,
  ) {
    document.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    setInterval(() => {
      if (this.element.isConnected)
        this.clock.textContent = duration((performance.now() - this.started) / 1000);
    }, 1000);
  }

  draw(form: TrialForm): void {
    if (form.trial !== this.form?.trial) this.nextTrial(form);
    this.form = form;
    if (form.done) {
      fill(this.element, h('p', { class: 'empty-title' }, 'All planned trials are done.'));
      return;
    }
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, `Trial ${String(form.trial)} of ${String(form.planned)}`),
        this.clock,
        h(
          'span',
          { class: 'secondary' },
          form.policy === undefined
            ? 'The policy is hidden: the order is blind.'
            : `Policy ${form.policy}`,
        ),
      ),
      h('p', { class: 'trial-task' }, form.task),
      h('p', { class: 'secondary' }, form.criterion),
      h(
        'div',
        { class: 'trial-buttons' },
        this.outcome('success', 'Success (S)'),
        this.outcome('failure', 'Failure (F)'),
        this.outcome('void', 'Void (V)'),
      ),
      form.reasons.length > 0
        ? segments(
            'Reason of a failure',
            form.reasons.map((value) => ({ value, label: value })),
            this.reason,
            (value) => {
              this.reason = value;
              this.draw(form);
            },
          )
        : null,
      h(
        'p',
        {},
        this.note,
        ' ',
        button('Undo (Z)', { disabled: !form.canUndo }, () => {
          this.undo();
        }),
      ),
    );
  }

  private nextTrial(form: TrialForm): void {
    this.started = performance.now();
    this.reason = '';
    this.note.value = '';
    this.live.say(`Trial ${String(form.trial)} of ${String(form.planned)}. ${form.task}`);
  }

  private outcome(outcome: Outcome, label: string): HTMLElement {
    return h(
      'button',
      {
        class: `trial-outcome ${outcome}`,
        type: 'button',
        click: () => {
          this.record(outcome);
        },
      },
      label,
    );
  }

  private record(outcome: Outcome): void {
    const seconds = Math.round((performance.now() - this.started) / 100) / 10;
    const reason = outcome === 'failure' ? this.reason : '';
    this.post({ type: 'trial', outcome, reason, note: this.note.value, seconds });
  }

  private undo(): void {
    if (this.form?.canUndo) this.post({ type: 'undoTrial' });
  }

  private keydown(event: KeyboardEvent): void {
    if (!this.element.isConnected || this.form?.done !== false) return;
    if (event.ctrlKey || event.metaKey || event.target === this.note) return;
    const key = event.key.toLowerCase();
    const outcome = keys.get(key);
    if (outcome) this.record(outcome);
    else if (key === 'z') this.undo();
    else return;
    event.preventDefault();
  }
}
