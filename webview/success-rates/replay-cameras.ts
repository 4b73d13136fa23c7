import type { Replay } from '../../server/protocol/panels/success-rates';
import { fill, h } from '../shared/dom';
import type { PosedBodies } from './bodies';

/** Edge of a camera picture where the recording does not say what the policy was given. */
const cameraSize = 64;

/** The cameras' pictures exactly as the policy saw them, enlarged with hard pixels. */
export class ReplayCameras {
  readonly element = h('div', { class: 'replay-cameras' });
  private shown: Replay | undefined;

  /** Pictures that were kept, otherwise the recorded states under the camera that drew the policy's own. */
  draw(replay: Replay, bodies: PosedBodies, step: number): void {
    if (this.shown !== replay) this.make(replay, bodies);
    const edge = replay.recording.imageSize ?? cameraSize;
    namesOf(replay, bodies).forEach((name, i) => {
      const canvas = this.element.children[i]?.querySelector('canvas');
      const context = canvas?.getContext('2d');
      const kept = replay.frames[i] && keptFrame(replay.frames[i], step);
      const rgb = kept ?? bodies.picture(name, step, edge);
      if (!canvas || !context || !rgb) return;
      const size = Math.round(Math.sqrt(rgb.length / 3));
      canvas.width = canvas.height = size;
      context.putImageData(new ImageData(withOpacity(rgb), size, size), 0, 0);
    });
  }

  private make(replay: Replay, bodies: PosedBodies): void {
    this.shown = replay;
    const known = replay.frames[0]?.size ?? replay.recording.imageSize;
    const caption = `${String(known ?? cameraSize)} px ${known === undefined ? 'drawn again' : 'as seen'}`;
    fill(
      this.element,
      ...namesOf(replay, bodies).map((name) =>
        h(
          'figure',
          {},
          h('canvas', { class: 'camera', role: 'img', 'aria-label': `Camera ${name}` }),
          h('figcaption', { class: 'secondary' }, `${name} · ${caption}`),
        ),
      ),
    );
  }
}

function namesOf({ frames }: Replay, { cameras }: PosedBodies): readonly string[] {
  return frames.length > 0 ? frames.map(({ camera }) => camera) : [...cameras.keys()];
}

/** The newest kept picture at or before a step, as RGB bytes. */
function keptFrame({ steps, size, pixels }: Replay['frames'][number], step: number) {
  const place = steps.findLastIndex((at) => at <= step);
  const count = size * size * 3;
  if (place < 0 || pixels.length < (place + 1) * count) return undefined;
  return pixels.subarray(place * count, (place + 1) * count);
}

function withOpacity(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let i = 0; i < rgb.length / 3; i += 1)
    for (let c = 0; c < 3; c += 1) pixels[4 * i + c] = rgb[3 * i + c] ?? 0;
  return pixels;
}
