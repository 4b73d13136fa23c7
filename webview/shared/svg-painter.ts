/** What an `image` of a figure shows, for painting it without loading it. */
export const rasters = new WeakMap<Element, HTMLCanvasElement>();

/**
 * Paints an SVG of ours on a canvas: rectangles, paths, circles, texts, groups with a translation,
 * nested pictures, tiled patterns and the pictures of other canvases. The page's policy forbids loading an image from a data address,
 * which is the usual way.
 */
export function paintSvg(root: SVGSVGElement, context: CanvasRenderingContext2D): void {
  const patterns = new Map<string, CanvasPattern>();
  for (const pattern of root.querySelectorAll('pattern')) {
    if (patterns.has(pattern.id)) continue;
    const tile = patternTile(pattern, context);
    if (tile) patterns.set(pattern.id, tile);
  }
  new Painter(context, patterns).children(root);
}

function patternTile(
  pattern: SVGPatternElement,
  context: CanvasRenderingContext2D,
): CanvasPattern | null {
  const tile = document.createElement('canvas');
  tile.width = tile.height = numberOf(pattern, 'width') || 1;
  const inner = tile.getContext('2d');
  if (inner) new Painter(inner, new Map()).children(pattern);
  return context.createPattern(tile, 'repeat');
}

const numberOf = (element: Element, name: string): number =>
  Number.parseFloat(element.getAttribute(name) ?? '') || 0;

class Painter {
  private inherited = '#000';
  private readonly kinds: Readonly<Record<string, (element: Element) => void>> = {
    g: (element) => {
      this.children(element);
    },
    svg: (element) => {
      this.nested(element);
    },
    ...Object.fromEntries(
      ['rect', 'path', 'circle'].map((name) => [
        name,
        (element: Element) => {
          this.shape(element, outline(element));
        },
      ]),
    ),
    image: (element) => {
      this.image(element);
    },
    text: (element) => {
      this.text(element);
    },
  };

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly patterns: ReadonlyMap<string, CanvasPattern>,
  ) {}

  children(element: Element): void {
    for (const child of element.children) this.element(child);
  }

  private element(element: Element): void {
    const { context } = this;
    context.save();
    context.globalAlpha *= element.hasAttribute('opacity') ? numberOf(element, 'opacity') : 1;
    const move = /translate\(([-\d.]+)[ ,]+([-\d.]+)\)/.exec(
      element.getAttribute('transform') ?? '',
    );
    if (move) context.translate(Number(move[1]), Number(move[2]));
    this.kinds[element.tagName]?.(element);
    context.restore();
  }

  private nested(element: Element): void {
    const { context } = this;
    const [width, height] = [numberOf(element, 'width'), numberOf(element, 'height')];
    context.translate(numberOf(element, 'x'), numberOf(element, 'y'));
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    const box = element.getAttribute('viewBox')?.split(/[ ,]+/).map(Number);
    if (box?.[2] && box[3]) {
      const free = element.getAttribute('preserveAspectRatio') === 'none';
      const [sx, sy] = [width / box[2], height / box[3]];
      context.scale(free ? sx : Math.min(sx, sy), free ? sy : Math.min(sx, sy));
      context.translate(-(box[0] ?? 0), -(box[1] ?? 0));
    }
    const before = this.inherited;
    this.inherited = element.getAttribute('color') ?? before;
    this.children(element);
    this.inherited = before;
  }

  private image(element: Element): void {
    const canvas = rasters.get(element);
    if (!canvas || canvas.width === 0 || canvas.height === 0) return;
    const [width, height] = [numberOf(element, 'width'), numberOf(element, 'height')];
    this.context.drawImage(canvas, 0, 0, width, height);
  }

  private paint(value: string | null, fallback: string): string | CanvasPattern | undefined {
    const colour = value ?? fallback;
    if (colour === 'none') return undefined;
    if (colour === 'currentColor') return this.inherited;
    const id = /^url\(#(.+)\)$/.exec(colour)?.[1];
    return id === undefined ? colour : this.patterns.get(id);
  }

  private shape(element: Element, path: Path2D): void {
    const { context } = this;
    const fill = this.paint(element.getAttribute('fill'), '#000');
    const stroke = this.paint(element.getAttribute('stroke'), 'none');
    if (fill !== undefined) {
      context.fillStyle = fill;
      context.fill(path);
    }
    if (stroke === undefined) return;
    context.strokeStyle = stroke;
    context.lineWidth = element.hasAttribute('stroke-width')
      ? numberOf(element, 'stroke-width')
      : 1;
    context.setLineDash(
      (element.getAttribute('stroke-dasharray') ?? '').split(/[ ,]+/).filter(Boolean).map(Number),
    );
    if (context.lineWidth > 0) context.stroke(path);
  }

  private text(element: Element): void {
    const { context } = this;
    const anchor = element.getAttribute('text-anchor');
    context.textAlign = anchor === 'middle' ? 'center' : anchor === 'end' ? 'right' : 'left';
    const weight = element.getAttribute('font-weight') ?? '400';
    const style = element.getAttribute('font-style') ?? 'normal';
    context.font = `${style} ${weight} ${String(numberOf(element, 'font-size') || 11)}px ${element.getAttribute('font-family') ?? 'sans-serif'}`;
    context.fillStyle = this.paint(element.getAttribute('fill'), '#000') ?? '#000';
    context.fillText(element.textContent, numberOf(element, 'x'), numberOf(element, 'y'));
  }
}

function outline(element: Element): Path2D {
  if (element.tagName === 'path') return new Path2D(element.getAttribute('d') ?? '');
  const path = new Path2D();
  if (element.tagName === 'circle')
    path.arc(
      numberOf(element, 'cx'),
      numberOf(element, 'cy'),
      numberOf(element, 'r'),
      0,
      2 * Math.PI,
    );
  else
    path.rect(
      numberOf(element, 'x'),
      numberOf(element, 'y'),
      numberOf(element, 'width'),
      numberOf(element, 'height'),
    );
  return path;
}
