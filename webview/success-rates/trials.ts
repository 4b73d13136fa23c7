import type { FromSuccessPanel, TrialForm } from '../../server/protocol/panels/success-rates';
import type { TrialOutcome } from '../../server/protocol/trials';
import { button, segments } from '../shared/components';
import { fill, h, styled } from '../shared/dom';
import { duration } from '../shared/format';
import type { LiveRegion } from '../shared/tooltip';

type Message = Extract<
  FromSuccessPanel,
  { type: 'trial' | 'undoTrial' | 'pauseTrials' | 'finishTrials' }
>;

const keys: ReadonlyMap<string, TrialOutcome> = new Map([
  ['s', 'success'],
  ['f', 'failure'],
  ['v', 'void'],
]);

/** Trials on a real robot: one question at a time, and nothing of the results before all are done. */
export class TrialCard {
  readonly element = h('section', { class: 'card trials' });
  private form: TrialForm | undefined;
  private drawn = '';
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
    private readonly post: (message: Message) => void,
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

  /** The same form again changes nothing: somebody may be writing a note. */
  draw(form: TrialForm): void {
    if (form.entry !== this.form?.entry || form.name !== this.form.name) this.nextTrial(form);
    this.form = form;
    const text = JSON.stringify([form, this.reason]);
    if (text === this.drawn) return;
    this.drawn = text;
    fill(
      this.element,
      ...(form.done ? this.closing(form) : this.question(form)),
      h(
        'p',
        { class: 'trial-foot' },
        this.series(form),
        h(
          'span',
          { class: 'end' },
          button('Undo (Z)', { disabled: !form.canUndo }, () => {
            this.undo();
          }),
          button('Pause', { title: 'Go on later: every answer is kept' }, () => {
            this.post({ type: 'pauseTrials' });
          }),
          button(
            form.done ? 'Show results' : 'End now',
            { primary: form.done, disabled: form.trial === 1 && !form.done },
            () => {
              this.post({ type: 'finishTrials' });
            },
          ),
        ),
      ),
    );
  }

  private series({ name, trial, planned, voided, done }: TrialForm): HTMLElement {
    const made = done ? planned : trial - 1;
    const bar = styled(h('div'), { width: `${String((100 * made) / planned)}%` });
    const repeated = voided > 0 ? `, ${String(voided)} void and repeated` : '';
    return h(
      'span',
      { class: 'trial-series secondary' },
      h('span', { class: 'progress' }, bar),
      `${name}: ${String(made)} of ${String(planned)}${repeated}`,
    );
  }

  private closing(form: TrialForm): Node[] {
    return [
      h('p', { class: 'empty-title' }, `All ${String(form.planned)} planned trials are done.`),
      h(
        'p',
        { class: 'secondary' },
        'The results are still closed: the last answer can be undone.',
      ),
    ];
  }

  private question(form: TrialForm): (Node | null)[] {
    const policy =
      form.policy === undefined
        ? 'The policy is hidden: the order is blind, and order.csv is for whoever starts it.'
        : `Policy ${form.policy}`;
    const start = form.start === undefined ? '' : `Start position ${String(form.start)}. `;
    return [
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, `Trial ${String(form.trial)} of ${String(form.planned)}`),
        this.clock,
      ),
      h('p', { class: 'trial-task' }, form.task),
      form.criterion === '' ? null : h('p', {}, `Success: ${form.criterion}`),
      h('p', { class: 'secondary' }, `${start}${policy}`),
      h(
        'div',
        { class: 'trial-buttons' },
        this.outcome('success', 'Success (S)'),
        this.outcome('failure', 'Failure (F)'),
        this.outcome('void', 'Void (V)'),
      ),
      form.reasons.length > 0 ? this.reasonChips(form) : null,
      h('p', {}, this.note),
    ];
  }

  /** A second press takes the reason back. */
  private reasonChips(form: TrialForm): HTMLElement {
    return segments(
      'Reason of a failure',
      form.reasons.map((value) => ({ value, label: value })),
      this.reason,
      (value) => {
        this.reason = this.reason === value ? '' : value;
        this.draw(form);
      },
    );
  }

  private nextTrial(form: TrialForm): void {
    this.started = performance.now();
    this.reason = '';
    this.note.value = '';
    this.live.say(
      form.done
        ? 'All planned trials are done.'
        : `Trial ${String(form.trial)} of ${String(form.planned)}. ${form.task}`,
    );
  }

  private outcome(outcome: TrialOutcome, label: string): HTMLElement {
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

  private record(outcome: TrialOutcome): void {
    if (!this.form || this.form.done) return;
    const seconds = Math.round((performance.now() - this.started) / 100) / 10;
    const reason = outcome === 'failure' ? this.reason : '';
    const { entry } = this.form;
    this.post({ type: 'trial', entry, outcome, reason, note: this.note.value, seconds });
  }

  private undo(): void {
    if (this.form?.canUndo) this.post({ type: 'undoTrial', entry: this.form.entry });
  }

  private keydown(event: KeyboardEvent): void {
    if (!this.element.isConnected || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.target === this.note) return;
    const key = event.key.toLowerCase();
    const outcome = keys.get(key);
    if (outcome) this.record(outcome);
    else if (key === 'z') this.undo();
    else return;
    event.preventDefault();
  }
}
