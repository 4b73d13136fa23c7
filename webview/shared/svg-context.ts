import { s } from './dom';

interface Saved {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly style: Readonly<Record<string, unknown>>;
}

const anchors: Readonly<Record<CanvasTextAlign, string>> = {
  left: 'start',
  start: 'start',
  center: 'middle',
  right: 'end',
  end: 'end',
};
/** How far a text's base line lies below its reference, in font sizes. */
const drops: Readonly<Partial<Record<CanvasTextBaseline, number>>> = { middle: 0.35, top: 0.8 };

/**
 * Records what a chart draws as SVG elements. It knows the calls that chart.js and our marks make on a
 * 2D context; everything else (measuring text) goes to the real one.
 */
export class SvgContext {
  private path = '';
  private x = 0;
  private y = 0;
  private angle = 0;
  private dash: readonly number[] = [];
  private readonly stack: Saved[] = [];

  constructor(
    private readonly screen: CanvasRenderingContext2D,
    private readonly into: SVGElement,
  ) {}

  /** A context in whose place this one can stand: our calls first, the rest from the screen's. */
  asContext(): CanvasRenderingContext2D {
    const own = this.calls();
    return new Proxy(this.screen, {
      get: (target, name) => {
        const call = typeof name === 'string' ? own[name] : undefined;
        if (call) return call;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
      set: (target, name, value) => Reflect.set(target, name, value, target),
    });
  }

  private calls(): Readonly<Record<string, (...numbers: never[]) => void>> {
    return { ...this.pathCalls(), ...this.paintCalls(), ...this.stateCalls() };
  }

  private pathCalls() {
    const at = (x: number, y: number) => this.point(x, y);
    return {
      beginPath: () => {
        this.path = '';
      },
      closePath: () => {
        this.path += 'Z';
      },
      moveTo: (x: number, y: number) => {
        this.path += `M${at(x, y)}`;
      },
      lineTo: (x: number, y: number) => {
        this.path += `${this.path ? 'L' : 'M'}${at(x, y)}`;
      },
      bezierCurveTo: (...p: readonly number[]) => {
        const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = p;
        this.path += `C${at(a, b)} ${at(c, d)} ${at(x, y)}`;
      },
      rect: (x: number, y: number, w: number, h: number) => {
        this.path += this.box(x, y, w, h);
      },
      arc: (x: number, y: number, r: number) => {
        const [d, radius] = [(2 * r).toFixed(2), r.toFixed(2)];
        const half = `a${radius} ${radius} 0 1 0`;
        this.path += `M${at(x - r, y)}${half} ${d} 0${half} -${d} 0Z`;
      },
    };
  }

  private paintCalls() {
    return {
      stroke: () => {
        this.draw(this.path, false);
      },
      fill: () => {
        this.draw(this.path, true);
      },
      fillRect: (x: number, y: number, w: number, h: number) => {
        this.draw(this.box(x, y, w, h), true);
      },
      strokeRect: (x: number, y: number, w: number, h: number) => {
        this.draw(this.box(x, y, w, h), false);
      },
      fillText: (text: string, x: number, y: number) => {
        this.text(text, x, y);
      },
      clearRect: () => undefined,
      clip: () => undefined,
      strokeText: () => undefined,
    };
  }

  private stateCalls() {
    const reset = () => {
      [this.x, this.y, this.angle] = [0, 0, 0];
    };
    return {
      setLineDash: (dash: readonly number[]) => {
        this.dash = [...dash];
      },
      save: () => {
        this.save();
      },
      restore: () => {
        this.restore();
      },
      translate: (x: number, y: number) => {
        [this.x, this.y] = this.turned(x, y);
      },
      rotate: (angle: number) => {
        this.angle += angle;
      },
      setTransform: reset,
      resetTransform: reset,
    };
  }

  private turned(x: number, y: number): [number, number] {
    const [cos, sin] = [Math.cos(this.angle), Math.sin(this.angle)];
    return [this.x + cos * x - sin * y, this.y + sin * x + cos * y];
  }

  private point(x: number, y: number): string {
    const [a, b] = this.turned(x, y);
    return `${a.toFixed(2)} ${b.toFixed(2)}`;
  }

  private box(x: number, y: number, w: number, h: number): string {
    return `M${this.point(x, y)}L${this.point(x + w, y)}L${this.point(x + w, y + h)}L${this.point(x, y + h)}Z`;
  }

  private draw(path: string, filled: boolean): void {
    const { fillStyle, strokeStyle, lineWidth, globalAlpha } = this.screen;
    const colour = filled ? fillStyle : strokeStyle;
    if (!path || path.includes('NaN') || typeof colour !== 'string') return;
    const paint = filled
      ? { fill: colour, stroke: 'none' }
      : {
          fill: 'none',
          stroke: colour,
          'stroke-width': lineWidth,
          'stroke-dasharray': this.dash.length > 0 ? this.dash.join(' ') : null,
        };
    this.into.append(s('path', { d: path, ...paint, opacity: globalAlpha }));
  }

  private text(text: string, x: number, y: number): void {
    const { fillStyle, font, textAlign, textBaseline } = this.screen;
    const [style, family = 'sans-serif'] = font.split('px ');
    const size = Number(/[\d.]+$/.exec(style ?? '')?.[0] ?? 11);
    const [a, b] = this.turned(x, y + (drops[textBaseline] ?? 0) * size);
    const place = { x: a, y: b, 'text-anchor': anchors[textAlign] };
    const weight = font.startsWith('600') ? 600 : null;
    const fill = typeof fillStyle === 'string' ? fillStyle : 'none';
    const look = { fill, 'font-size': size, 'font-weight': weight, 'font-family': family };
    this.into.append(s('text', { ...place, ...look }, text));
  }

  private save(): void {
    this.screen.save();
    this.stack.push({ x: this.x, y: this.y, angle: this.angle, style: { dash: this.dash } });
  }

  private restore(): void {
    this.screen.restore();
    const saved = this.stack.pop();
    if (!saved) return;
    [this.x, this.y, this.angle] = [saved.x, saved.y, saved.angle];
    if (Array.isArray(saved.style['dash'])) this.dash = saved.style['dash'] as number[];
  }
}
