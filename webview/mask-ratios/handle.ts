import { h, styled } from '../shared/dom';
import { roundUp } from '../shared/chart';

/** What a handle does with the parameter that it stands for. */
export interface HandleActions {
  readonly move: (value: number) => void;
  readonly write: () => void;
  readonly reset: () => void;
}

/** Values that a recipe may hold. */
export interface Limits {
  readonly least: number;
  readonly most: number;
}

export interface Place {
  readonly value: number;
  /** What the recipe has: the yardstick. */
  readonly saved: number;
  /** Ends of the axis that the slider lies under. */
  readonly domain: readonly [number, number];
}

/** Half of a handle: a native slider's thumb stays this far inside of its element. */
const radius = 7;

/** A native slider with a number field, and a mark where the recipe has its value. */
export class Handle {
  readonly range: HTMLInputElement;
  readonly field: HTMLInputElement;
  readonly track: HTMLElement;
  private readonly mark = h('div', { class: 'saved-mark', 'aria-hidden': 'true' }, '▴');
  private at: Place = { value: 0, saved: 0, domain: [0, 1] };

  constructor(
    label: string,
    private readonly limits: Limits,
    private readonly actions: HandleActions,
  ) {
    this.range = h('input', { type: 'range', step: 0.01, 'aria-label': label });
    this.field = h('input', {
      ...{ type: 'number', step: 'any', class: 'value', 'aria-label': label },
      tabindex: -1,
    });
    this.track = h('div', { class: 'slider-track' }, this.range, this.mark);
    // The wheel scrolls the page and never changes a number.
    this.range.addEventListener('input', () => {
      this.moveTo(Number(this.range.value));
    });
    this.range.addEventListener('keydown', (event) => {
      this.key(event);
    });
    this.field.addEventListener('change', () => {
      this.type();
    });
    this.field.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.field.value = fieldText(this.at.value);
      if (event.key === 'Escape' || event.key === 'Enter') this.range.focus();
    });
  }

  set disabled(disabled: boolean) {
    this.range.disabled = disabled;
    this.field.disabled = disabled;
  }

  place(place: Place): void {
    const { value, domain } = place;
    const [from, to] = domain;
    this.at = place;
    this.range.min = String(Math.max(from, this.limits.least));
    this.range.max = String(to);
    this.range.value = String(value);
    if (document.activeElement !== this.field) this.field.value = fieldText(value);
    styled(this.range, { '--filled': `${String((100 * (value - from)) / (to - from))}%` });
  }

  /** Puts the slider exactly under an axis: its handle's centre runs from end to end. */
  align({ left, right }: { readonly left: number; readonly right: number }): void {
    const { saved, domain } = this.at;
    const [from, to] = domain;
    styled(this.track, {
      'margin-left': `${String(left - radius)}px`,
      width: `${String(Math.max(0, right - left + 2 * radius))}px`,
    });
    const share = (saved - from) / (to - from);
    styled(this.mark, { left: `${String(radius + share * (right - left))}px` });
  }

  private key(event: KeyboardEvent): void {
    const step = event.shiftKey || event.key.startsWith('Page') ? 0.1 : 0.01;
    const up = ['ArrowRight', 'ArrowUp', 'PageUp'].includes(event.key);
    const down = ['ArrowLeft', 'ArrowDown', 'PageDown'].includes(event.key);
    // Typing a number on the slider types it into the field, which is no tab stop of its own.
    if (/^[\d.-]$/.test(event.key)) {
      this.field.focus();
      this.field.select();
      return;
    }
    if (event.key === 'Enter') this.actions.write();
    else if (event.key === 'Escape') this.actions.reset();
    else if (up || down) this.moveTo(this.at.value + (up ? step : -step));
    else return;
    event.preventDefault();
  }

  /** What is typed may be beyond the ends of the slider, as far as a recipe may. */
  private type(): void {
    const value = Number(this.field.value);
    const { least, most } = this.limits;
    if (this.field.value !== '' && value >= least && value <= most) this.actions.move(value);
    else this.field.value = fieldText(this.at.value);
  }

  private moveTo(wanted: number): void {
    const [from, to] = this.at.domain;
    const least = Math.max(from, this.limits.least);
    const most = Math.min(this.limits.most, Math.max(to, this.at.value));
    const value = Math.round(Math.min(most, Math.max(least, wanted)) * 1e6) / 1e6;
    // At once: another key may come before the next frame.
    this.place({ ...this.at, value });
    this.actions.move(value);
  }
}

/** Two decimals, and more where a recipe has them. */
function fieldText(value: number): string {
  const short = value.toFixed(2);
  return Number(short) === value ? short : String(Number(value.toFixed(4)));
}

/** Ends of an axis: the usual ones, or round numbers around all that is shown on it. */
export function domainOf(
  [from, to]: readonly [number, number],
  values: readonly number[],
): readonly [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  return [low < from ? -roundUp(-low) : from, high > to ? roundUp(high) : to];
}
