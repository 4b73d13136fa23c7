import type { GivenPicture } from '../../server/protocol/panels/routing';
import { largestPicture, mostPictures, parseState } from '../../server/protocol/panels/routing';
import { button } from '../shared/components';
import { fill, h } from '../shared/dom';
import { bytes } from '../shared/format';
import { icon } from '../shared/icons';
import { link } from '../shared/states';
import type { RoutingActions, RoutingModel } from './model';

/** Where an observation comes from: pictures and words that the user gives, or a file of frames. */
export class InputsCard {
  readonly element = h('section', { class: 'card inputs', 'aria-label': 'Observation' });
  private readonly pictures = h('ol', { class: 'given' });
  private readonly note = h('p', { class: 'note', role: 'status' });
  private readonly instruction = this.field('Instruction', 'what the robot shall do');
  private readonly proprio = this.field('Robot state', 'numbers; routing does without');
  /** Made once: an input that is moved loses what is being typed. */
  private readonly form = h(
    'div',
    { class: 'form' },
    this.pictures,
    h('label', { class: 'wide' }, h('span', {}, 'instruction'), this.instruction),
    h('label', {}, h('span', {}, 'robot state'), this.proprio),
    this.note,
  );
  private readonly decoded = new Map<string, ImageBitmap | 'wanted' | 'broken'>();
  private model: RoutingModel | undefined;
  private fault: string | undefined;

  constructor(private readonly actions: RoutingActions) {
    const over = (event: DragEvent, inside: boolean) => {
      const types = event.dataTransfer?.types ?? [];
      if (!['Files', ...addressTypes].some((type) => types.includes(type))) return;
      event.preventDefault();
      document.body.classList.toggle('dropping', inside);
    };
    document.addEventListener('dragover', (event) => {
      over(event, true);
    });
    document.addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) over(event, false);
    });
    document.addEventListener('drop', (event) => {
      over(event, false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) void this.take(files);
      else this.takeAddresses(addresses(event.dataTransfer));
    });
  }

  draw(model: RoutingModel): void {
    this.model = model;
    const { source, frames, given } = model.snapshot;
    this.element.hidden = source === 'episode' && frames.length > 0;
    if (this.element.hidden) return;
    if (source === 'frame') this.drawDataset(model);
    else if (source === 'episode') this.drawNoEpisodes();
    else {
      for (const [input, value] of [
        [this.instruction, given.instruction],
        [this.proprio, given.proprio],
      ] as const)
        // What is being typed is newer than what the host has heard.
        if (document.activeElement !== input) input.value = value;
      this.drawPictures(given.images);
      if (this.form.parentElement !== this.element) fill(this.element, this.form);
      fill(this.note, this.sentence());
    }
  }

  /** A picture that was asked for has come. */
  async receive(id: string, content: string): Promise<void> {
    try {
      const data = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
      this.decoded.set(id, await createImageBitmap(new Blob([data])));
    } catch {
      this.decoded.set(id, 'broken');
    }
    if (this.model) this.draw(this.model);
  }

  private field(label: string, placeholder: string): HTMLInputElement {
    return h('input', {
      type: 'text',
      'aria-label': label,
      placeholder,
      spellcheck: 'false',
      input: () => {
        this.tell();
        fill(this.note, this.sentence());
      },
      keydown: (event) => {
        if (event instanceof KeyboardEvent && event.key === 'Enter') this.actions.route();
      },
    });
  }

  /** What stands in the way of routing, or what happens next; one sentence. */
  private sentence(): Node {
    const fault = this.fault ?? this.misfit();
    if (fault !== undefined) return h('span', { class: 'fault' }, icon('error'), fault);
    const { snapshot } = this.model ?? {};
    if (snapshot?.given.images.length === 0 && !(snapshot.answer ?? snapshot.same))
      return this.beginning();
    return document.createTextNode(this.advice());
  }

  private misfit(): string | undefined {
    const { cameras, given } = this.model?.snapshot ?? {};
    const count = given?.images.length ?? 0;
    if (parseState(this.proprio.value) === undefined)
      return 'The robot state is no list of numbers.';
    if (!cameras || count === 0 || count === cameras.length) return undefined;
    return `The policy takes ${String(cameras.length)} pictures (${cameras.join(', ')}); there are ${String(count)}.`;
  }

  private advice(): string {
    const { cameras, given, trusted } = this.model?.snapshot ?? {};
    const count = given?.images.length ?? 0;
    if (trusted !== true) return 'Routing loads the policy, which needs a trusted workspace.';
    if (count === 0) return 'The pictures of one observation, one a camera.';
    if (count === 1) return 'Enter routes.';
    if (!cameras) return 'Pictures go to the cameras in this order; the arrows change it.';
    return this.namesTell(cameras)
      ? 'The arrows change the order. Enter routes.'
      : 'Check the order: the file names do not say which camera is which.';
  }

  private beginning(): HTMLElement {
    return h(
      'span',
      {},
      'The scores of an observation appear here. How often routes are right is known after an evaluation on the bench. ',
      link('Evaluate', 'evaluate', (id) => {
        this.actions.act(id);
      }),
    );
  }

  private namesTell(cameras: readonly string[]): boolean {
    const images = this.model?.snapshot.given.images ?? [];
    return images.every(({ name }, i) =>
      name.toLowerCase().includes((cameras[i] ?? '\0').toLowerCase()),
    );
  }

  private drawPictures(images: readonly GivenPicture[]): void {
    const shown = [...this.pictures.querySelectorAll('li[data-id]')];
    const key = images.map(({ id }) => `${id} ${this.stateOf(id)}`).join(' ') + this.cameras();
    if (shown.length > 0 && this.pictures.dataset['key'] === key) return;
    this.pictures.dataset['key'] = key;
    const focused = document.activeElement?.getAttribute('data-focus');
    fill(this.pictures, ...images.map((image, i) => this.item(image, i, images)), this.chooser());
    if (focused) this.pictures.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
  }

  private cameras(): string {
    return this.model?.snapshot.cameras?.join() ?? '';
  }

  private stateOf(id: string): string {
    const known = this.decoded.get(id);
    return known instanceof ImageBitmap ? 'shown' : (known ?? 'new');
  }

  private item(image: GivenPicture, place: number, all: readonly GivenPicture[]): HTMLElement {
    const camera = this.model?.snapshot.cameras?.[place] ?? `camera ${String(place + 1)}`;
    const canvas = h('canvas', { width: 64, height: 64, 'aria-hidden': 'true' });
    this.thumbnail(canvas, image.id);
    const broken = this.decoded.get(image.id) === 'broken';
    const tool = (name: 'left' | 'right' | 'close', title: string, ids: () => readonly string[]) =>
      h(
        'button',
        {
          class: 'plain',
          type: 'button',
          title,
          'aria-label': `${title}: ${image.name}`,
          'data-focus': `${name} ${image.id}`,
          disabled:
            (name === 'left' && place === 0) || (name === 'right' && place === all.length - 1),
          click: () => {
            this.tell(ids());
          },
        },
        icon(name),
      );
    const ids = all.map(({ id }) => id);
    return h(
      'li',
      { 'data-id': image.id, class: broken ? 'broken' : null },
      canvas,
      h(
        'span',
        { class: 'about' },
        h('strong', {}, camera),
        h('span', { class: 'secondary', title: image.name }, image.name),
        h('span', { class: 'secondary' }, broken ? 'cannot be decoded' : bytes(image.bytes)),
        h(
          'span',
          {},
          tool('left', 'Earlier camera', () => swapped(ids, place, place - 1)),
          tool('right', 'Later camera', () => swapped(ids, place, place + 1)),
          tool('close', 'Remove', () => ids.filter((id) => id !== image.id)),
        ),
      ),
    );
  }

  private thumbnail(canvas: HTMLCanvasElement, id: string): void {
    const known = this.decoded.get(id);
    if (known === undefined) {
      this.decoded.set(id, 'wanted');
      this.actions.wantPicture(id);
    }
    if (!(known instanceof ImageBitmap)) return;
    const scale = Math.max(canvas.width / known.width, canvas.height / known.height);
    const [w, height] = [known.width * scale, known.height * scale];
    canvas
      .getContext('2d')
      ?.drawImage(known, (canvas.width - w) / 2, (canvas.height - height) / 2, w, height);
  }

  private chooser(): HTMLElement {
    const choose = button('Choose pictures…', {}, () => {
      this.actions.pickPictures();
    });
    const words = h(
      'span',
      { class: 'secondary' },
      'or drop them here from the explorer or the desktop, holding Shift',
    );
    return h('li', { class: 'chooser' }, choose, words);
  }

  private drawDataset({ snapshot: { dataset, trusted } }: RoutingModel): void {
    const choose = button(
      dataset === undefined ? 'Choose a file…' : 'Choose another file…',
      { disabled: !trusted, ...(trusted ? {} : { title: 'The workspace is not trusted' }) },
      () => {
        this.actions.pickDataset();
      },
    );
    const words =
      'Demonstrations of the bench (.safetensors), a recorded episode (.json.gz), or a JSON file with images and instruction.';
    fill(
      this.element,
      h(
        'div',
        { class: 'dataset' },
        choose,
        h('code', {}, dataset ?? ''),
        h('span', { class: 'secondary' }, words),
      ),
    );
  }

  private drawNoEpisodes(): void {
    fill(
      this.element,
      h(
        'p',
        { class: 'note' },
        'No episode of this run was recorded. An evaluation on the bench records them. ',
        link('Evaluate', 'evaluate', (id) => {
          this.actions.act(id);
        }),
      ),
    );
  }

  /** Tells the host how the observation stands now. */
  private tell(
    images: readonly string[] = this.model?.snapshot.given.images.map(({ id }) => id) ?? [],
  ): void {
    this.fault = undefined;
    this.actions.setObservation(images, this.instruction.value, this.proprio.value);
  }

  /** Pictures of the editor's explorer, which only the host can read. */
  private takeAddresses(uris: readonly string[]): void {
    if (uris.length === 0) return;
    const over = uris.length - mostPictures;
    this.fault =
      over > 0 ? `An observation has at most ${String(mostPictures)} pictures.` : undefined;
    this.actions.addFiles(uris.slice(0, mostPictures));
    if (this.model) this.draw(this.model);
  }

  /** Reads dropped files; what is no picture, or too large, is named and left out. */
  private async take(files: readonly File[]): Promise<void> {
    const fits = files.filter(
      ({ type, size }) => /^image\/(png|jpeg)$/.test(type) && size <= largestPicture,
    );
    const other = files.find((file) => !fits.includes(file));
    this.fault = other && `${other.name} is no PNG or JPEG of at most 8 MB; it was left out.`;
    const pictures = await Promise.all(
      fits.slice(0, mostPictures).map(async (file) => ({
        name: file.name,
        content: toBase64(new Uint8Array(await file.arrayBuffer())),
      })),
    );
    if (pictures.length > 0) this.actions.addPictures(pictures);
    if (this.model) this.draw(this.model);
  }
}

/** How the editor hands over what is dragged from its trees; the second has one address only. */
const addressTypes = ['application/vnd.code.uri-list', 'text/uri-list'];

function addresses(data: DataTransfer | null): readonly string[] {
  const text = addressTypes.map((type) => data?.getData(type) ?? '').find((each) => each !== '');
  return (text ?? '').split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
}

function swapped(ids: readonly string[], a: number, b: number): readonly string[] {
  return ids.map((id, i) => (i === a ? (ids[b] ?? id) : i === b ? (ids[a] ?? id) : id));
}

function toBase64(data: Uint8Array): string {
  let text = '';
  for (let at = 0; at < data.length; at += 32_768)
    text += String.fromCharCode(...data.subarray(at, at + 32_768));
  return btoa(text);
}
