type Child = Node | string | null | undefined | false;
type Props = Readonly<
  Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>
>;

/**
 * Makes an element. Functions become listeners (`onclick`), booleans toggle the attribute, the rest are
 * attributes. Text is always set as text: nothing from a recipe or run is ever parsed as markup.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props,
  ...children: Child[]
): HTMLElementTagNameMap[K];
export function h(tag: string, props?: Props, ...children: Child[]): HTMLElement;
export function h(tag: string, props: Props = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  assign(element, props);
  append(element, children);
  return element;
}

/** Makes an SVG element; attributes only, because a `style` attribute would break the content policy. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  assign(element, props);
  append(element, children);
  return element;
}

function assign(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value);
    else if (value === true) element.setAttribute(name, '');
    else element.setAttribute(name, String(value));
  }
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) if (child) element.append(child);
}

/** Replaces what an element holds, and nothing when it already holds exactly that. */
export function fill(element: Element, ...children: Child[]): void {
  const wanted = children.filter((child): child is Node | string => Boolean(child));
  const { childNodes } = element;
  if (wanted.length === childNodes.length && wanted.every((child, i) => childNodes[i] === child))
    return;
  element.replaceChildren(...wanted);
}

/** What was drawn last; what did not change is not drawn again. */
export class Drawn {
  private inputs: readonly unknown[] = [];

  /** True when any of these is another than at the last call. */
  differs(...inputs: readonly unknown[]): boolean {
    const same =
      inputs.length === this.inputs.length &&
      inputs.every((input, i) => Object.is(input, this.inputs[i]));
    this.inputs = inputs;
    return !same;
  }
}

/** Sets custom properties and sizes by script, which the strict policy allows. */
export function styled<E extends HTMLElement | SVGElement>(
  element: E,
  values: Readonly<Record<string, string>>,
): E {
  for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value);
  return element;
}

/** Runs the newest call only, before the next frame. */
export function eachFrame(draw: () => void): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      draw();
    });
  };
}
