import type { Replay } from '../../server/protocol/panels/success-rates';
import { fill, h, styled } from '../shared/dom';

/** The steps of an episode on one line: where it stands, when the policy was asked, what happened. */
export class ReplayTrack {
  private readonly scrubber = h('input', { type: 'range', min: 0, step: 1, 'aria-label': 'Step' });
  private readonly marks = h('div', { class: 'replay-marks', 'aria-hidden': 'true' });
  readonly element = h('div', { class: 'replay-track' }, this.scrubber, this.marks);

  constructor(goTo: (step: number) => void) {
    this.scrubber.addEventListener('input', () => {
      goTo(Number(this.scrubber.value));
    });
  }

  show({ recording, events }: Replay): void {
    const { steps, calls = [] } = recording;
    const place = (step: number) => ({ left: `${String((100 * step) / Math.max(1, steps))}%` });
    this.scrubber.max = String(steps);
    fill(
      this.marks,
      ...calls.map((step) => styled(h('i', { class: 'replay-call' }), place(step))),
      ...events.map((event, index) => {
        const near = (other: { readonly step: number } | undefined) =>
          other !== undefined && Math.abs(other.step - event.step) < 0.1 * steps;
        // Words of late events stand before their mark, where there is room, and so do those of one
        // that another follows closely; the other's stand after its own.
        const isLate = event.step > 0.6 * steps || near(events[index + 1]);
        const side = isLate ? 'late' : near(events[index - 1]) ? 'after' : '';
        const kind = `replay-event small ${event.bad ? 'bad' : ''} ${side}`;
        const label = h('span', { class: 'replay-event-name', title: event.name }, event.name);
        return styled(h('span', { class: kind }, h('i'), label), place(event.step));
      }),
      events.some(({ step }) => step > 0.9 * steps)
        ? null
        : h('span', { class: 'replay-end small' }, String(steps)),
    );
  }

  moveTo(step: number, { recording, events }: Replay): void {
    const { steps, calls = [] } = recording;
    const filled = `${String((100 * step) / Math.max(1, steps))}%`;
    styled(this.scrubber, { '--filled': filled });
    this.scrubber.value = String(step);
    const here = events.filter((event) => event.step === step).map(({ name }) => name);
    const asked = calls.includes(step) ? ['policy asked'] : [];
    this.scrubber.setAttribute(
      'aria-valuetext',
      [`step ${String(step)} of ${String(steps)}`, ...asked, ...here].join(', '),
    );
  }
}
