import { Chart } from 'chart.js';
import { s } from './dom';
import { SvgContext } from './svg-context';
import { paintSvg, rasters } from './svg-painter';

/** Pixels of a saved picture for each pixel on screen. */
const scale = 2;
const footerHeight = 24;

/** What is on screen below `root`, drawn again as one SVG from texts, boxes, SVGs and charts. */
export function figureToSvg(root: HTMLElement, footer: string): string {
  // In a document of its own a picture is not loaded, which the page's policy would forbid.
  const figure = document.implementation
    .createDocument(null, null)
    .adoptNode(composeFigure(root, footer));
  for (const image of figure.querySelectorAll('image'))
    image.setAttribute('href', rasters.get(image)?.toDataURL('image/png') ?? '');
  return new XMLSerializer().serializeToString(figure);
}

/** The same picture as base64 of a PNG, at twice the size. */
export function figureToPng(root: HTMLElement, footer: string): string {
  const figure = composeFigure(root, footer);
  const canvas = document.createElement('canvas');
  canvas.width = Number(figure.getAttribute('width')) * scale;
  canvas.height = Number(figure.getAttribute('height')) * scale;
  const context = canvas.getContext('2d');
  if (!context) return '';
  context.scale(scale, scale);
  paintSvg(figure, context);
  return canvas.toDataURL('image/png').split(',')[1] ?? '';
}

interface Origin {
  readonly left: number;
  readonly top: number;
}

function composeFigure(root: HTMLElement, footer: string): SVGSVGElement {
  const box = root.getBoundingClientRect();
  const style = getComputedStyle(document.body);
  const figure = s('svg', {
    xmlns: 'http://www.w3.org/2000/svg',
    width: Math.ceil(box.width),
    height: Math.ceil(box.height) + footerHeight,
  });
  figure.append(
    s('rect', {
      x: 0,
      y: 0,
      width: Math.ceil(box.width),
      height: Math.ceil(box.height) + footerHeight,
      fill: style.backgroundColor,
    }),
  );
  compose(root, { left: box.left, top: box.top }, figure);
  figure.append(
    s(
      'text',
      {
        x: 20,
        y: Math.ceil(box.height) + 12,
        'font-size': 11,
        'font-family': style.fontFamily,
        fill: style.color,
      },
      footer,
    ),
  );
  return figure;
}

function compose(element: Element, origin: Origin, into: SVGElement): void {
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden') return;
  if (element instanceof SVGSVGElement) {
    into.append(placedSvg(element, origin, style));
    return;
  }
  if (element instanceof HTMLCanvasElement) {
    into.append(placedCanvas(element, origin));
    return;
  }
  drawBox(element, origin, style, into);
  for (const child of element.childNodes) {
    if (child instanceof Element) compose(child, origin, into);
    else if (child instanceof Text) drawText(child, origin, style, into);
  }
}

function placedSvg(element: SVGSVGElement, origin: Origin, style: CSSStyleDeclaration): SVGElement {
  const box = element.getBoundingClientRect();
  const copy = element.cloneNode(true) as SVGSVGElement;
  const place = {
    x: box.left - origin.left,
    y: box.top - origin.top,
    width: box.width,
    height: box.height,
    color: style.color,
  };
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, String(value));
  copy.removeAttribute('style');
  return copy;
}

/** Charts draw themselves once more, into a context that writes SVG; other canvases are pictures. */
function placedCanvas(canvas: HTMLCanvasElement, origin: Origin): SVGElement {
  const box = canvas.getBoundingClientRect();
  const group = s('g', {
    transform: `translate(${String(box.left - origin.left)} ${String(box.top - origin.top)})`,
  });
  const chart = Chart.getChart(canvas);
  if (!chart) {
    const image = s('image', { width: box.width, height: box.height });
    rasters.set(image, canvas);
    group.append(image);
    return group;
  }
  const screen = chart.ctx;
  const recorder = new SvgContext(screen, group);
  try {
    Reflect.set(chart, 'ctx', recorder.asContext());
    chart.draw();
  } finally {
    Reflect.set(chart, 'ctx', screen);
    chart.draw();
  }
  return group;
}

function drawBox(
  element: Element,
  origin: Origin,
  style: CSSStyleDeclaration,
  into: SVGElement,
): void {
  const box = element.getBoundingClientRect();
  const filled = !/rgba\(.*, 0\)|transparent/.test(style.backgroundColor);
  const edge = (side: 'Top' | 'Bottom' | 'Left') =>
    style[`border${side}Style`] !== 'none' && Number.parseFloat(style[`border${side}Width`]) > 0;
  const [x, y] = [box.left - origin.left, box.top - origin.top];
  const framed = edge('Top') && edge('Left');
  if (filled || framed)
    into.append(
      s('rect', {
        x,
        y,
        width: box.width,
        height: box.height,
        rx: Number.parseFloat(style.borderTopLeftRadius) || 0,
        fill: filled ? style.backgroundColor : 'none',
        stroke: framed ? style.borderTopColor : 'none',
      }),
    );
  else if (edge('Bottom'))
    into.append(
      s('path', {
        d: `M${String(x)} ${String(box.bottom - origin.top)}h${String(box.width)}`,
        stroke: style.borderBottomColor,
        fill: 'none',
      }),
    );
}

/** One line of text at its place; wrapped text is one `text` element a line. */
function drawText(node: Text, origin: Origin, style: CSSStyleDeclaration, into: SVGElement): void {
  if (node.data.trim() === '') return;
  for (const { text, box } of linesOf(node))
    into.append(
      s(
        'text',
        {
          x: box.left - origin.left,
          y: box.top - origin.top + box.height * 0.78,
          'font-size': Number.parseFloat(style.fontSize),
          'font-family': style.fontFamily,
          'font-weight': style.fontWeight,
          'font-style': style.fontStyle === 'normal' ? null : style.fontStyle,
          fill: style.color,
        },
        text,
      ),
    );
}

function linesOf(node: Text): { text: string; box: DOMRect }[] {
  const range = document.createRange();
  range.selectNodeContents(node);
  const boxes = [...range.getClientRects()];
  const [only] = boxes;
  if (boxes.length === 1 && only) return [{ text: node.data.trim(), box: only }];
  const lines: { text: string; box: DOMRect }[] = [];
  for (let i = 0; i < node.data.length; i += 1) {
    range.setStart(node, i);
    range.setEnd(node, i + 1);
    const box = range.getBoundingClientRect();
    const last = lines.at(-1);
    if (last && Math.abs(last.box.top - box.top) < 2) last.text += node.data[i] ?? '';
    else if (box.width > 0) lines.push({ text: node.data[i] ?? '', box });
  }
  return lines;
}
