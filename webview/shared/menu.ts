import { h, styled } from './dom';

export interface MenuItem {
  readonly label: string;
  readonly run: () => void;
}

export interface MenuPlace {
  /** Corner of the menu in the window; moved so that all of it is seen. */
  readonly x: number;
  readonly y: number;
  /** Gives focus back to where it was. */
  readonly back: () => void;
}

/** Where the pointer is, or below the element when a key asked for the menu. */
export function placeOf(event: MouseEvent, element: HTMLElement): Pick<MenuPlace, 'x' | 'y'> {
  const { left, bottom } = element.getBoundingClientRect();
  return event.button === 2 ? { x: event.clientX, y: event.clientY } : { x: left, y: bottom };
}

/**
 * Opens a menu over the page. Arrows, Home and End move, Enter and Space choose, Escape and Tab close it and
 * give focus back; it also closes when focus goes elsewhere.
 */
export function openMenu(label: string, items: readonly MenuItem[], place: MenuPlace): void {
  const close = () => {
    menu.removeEventListener('focusout', left);
    menu.remove();
  };
  const left = ({ relatedTarget }: FocusEvent) => {
    if (!(relatedTarget instanceof Node && menu.contains(relatedTarget))) close();
  };
  const shut = () => {
    close();
    place.back();
  };
  const entries = items.map((item) => {
    const click = () => {
      shut();
      item.run();
    };
    return h('button', { type: 'button', role: 'menuitem', tabindex: -1, click }, item.label);
  });
  const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': label }, ...entries);
  menu.addEventListener('focusout', left);
  menu.addEventListener('keydown', (event) => {
    if (['Escape', 'Tab'].includes(event.key)) shut();
    else if (!moveIn(entries, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(menu);
  styled(menu, {
    left: `${String(Math.max(0, Math.min(place.x, innerWidth - menu.offsetWidth)))}px`,
    top: `${String(Math.max(0, Math.min(place.y, innerHeight - menu.offsetHeight)))}px`,
  });
  entries[0]?.focus();
}

export function isInMenu(element: Element | null): boolean {
  return element?.closest('[role="menu"]') instanceof HTMLElement;
}

/** Moves focus among the entries; false for a key that does not. */
function moveIn(entries: readonly HTMLElement[], key: string): boolean {
  const here = entries.findIndex((entry) => entry === document.activeElement);
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: here + 1,
    ArrowUp: here - 1 + entries.length,
    Home: 0,
    End: entries.length - 1,
  };
  const target = targets[key];
  if (target === undefined) return false;
  entries[target % entries.length]?.focus();
  return true;
}
