import { fill, h, styled } from './dom';

/** One floating label for the page; it follows the pointer or the keyboard's mark. */
export class Tooltip {
  readonly element = h('div', { class: 'tooltip', role: 'tooltip', hidden: true });

  constructor() {
    document.body.append(this.element);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.hide();
    });
  }

  /** Stands below a rectangle, for tables whose neighbours are read together. */
  showBelow(around: DOMRect, ...content: (Node | string)[]): void {
    this.show(new DOMRect(around.x - 8, around.bottom + 6, 0, 0), ...content);
  }

  /** Stands beside a rectangle of the viewport, on the side with room, never over it. */
  show(around: DOMRect, ...content: (Node | string)[]): void {
    fill(this.element, ...content);
    this.element.hidden = false;
    const { width, height } = this.element.getBoundingClientRect();
    const right = around.right + 8;
    const left = right + width < innerWidth - 8 ? right : Math.max(8, around.left - width - 8);
    const top = Math.min(Math.max(8, around.top), Math.max(8, innerHeight - height - 8));
    styled(this.element, {
      left: `${String(left + scrollX)}px`,
      top: `${String(top + scrollY)}px`,
    });
  }

  hide(): void {
    this.element.hidden = true;
  }
}

/** Speaks to a screen reader without moving the focus. */
export class LiveRegion {
  readonly element = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });

  say(text: string): void {
    if (this.element.textContent !== text) this.element.textContent = text;
  }
}
