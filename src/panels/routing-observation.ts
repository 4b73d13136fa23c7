import { basename } from 'node:path';
import type { Uri } from 'vscode';
import { FileType, window, workspace } from 'vscode';
import type {
  FromRoutingPanel,
  ObservationSource,
  RoutingSnapshot,
} from '../../server/protocol/panels/routing';
import { largestPicture, mostPictures, parseState } from '../../server/protocol/panels/routing';
import { isString } from '../../server/protocol/shape';
import type { FrameChoice } from '../../server/protocol/methods';
import type { Parts } from '../commands/context';
import { GivenPictures } from './given-pictures';
import type { RouterRequest } from './router-process';

type From<K extends FromRoutingPanel['type']> = Extract<FromRoutingPanel, { type: K }>;

/** What can be routed: pictures that the user gave, frames of a dataset, recorded episodes of the run. */
export class ObservationChoice {
  source: ObservationSource = 'images';
  cameras: readonly string[] | undefined;
  private readonly pictures = new GivenPictures();
  private instruction = '';
  private proprio = '';
  private dataset: { readonly path: string; readonly frames: readonly FrameChoice[] } | undefined;
  /** Recorded episodes, whose files an identity stands for. */
  private episodes: readonly (FrameChoice & { readonly file: string })[] = [];
  private readonly chosen = new Map<ObservationSource, string>();

  constructor(private readonly parts: Parts) {}

  snapshot(): Pick<
    RoutingSnapshot,
    'source' | 'given' | 'frames' | 'frame' | 'dataset' | 'cameras'
  > {
    const { source, cameras, dataset, instruction, proprio } = this;
    const frames = this.frames().map(({ id, label }) => ({ id, label }));
    const frame = this.frame();
    return {
      source,
      given: { images: this.pictures.list(), instruction, proprio },
      frames,
      ...(frame === undefined ? {} : { frame }),
      ...(cameras ? { cameras } : {}),
      ...(dataset ? { dataset: basename(dataset.path) } : {}),
    };
  }

  setEpisodes(episodes: readonly (FrameChoice & { readonly file: string })[]): void {
    this.episodes = episodes;
  }

  /** Chooses a frame of the dataset or a recorded episode; false where there is none of that name. */
  choose(id: string): boolean {
    if (this.episodes.some((episode) => episode.id === id)) this.source = 'episode';
    else if (this.dataset?.frames.some((frame) => frame.id === id)) this.source = 'frame';
    else return false;
    this.chosen.set(this.source, id);
    return true;
  }

  /** The observation as the command takes it, or one sentence on what is missing. */
  async request(): Promise<RouterRequest | string> {
    if (this.source === 'images') return this.givenRequest();
    const frame = this.frame();
    const found = this.frames().find(({ id }) => id === frame);
    if (found) return { frame: 'file' in found ? String(found.file) : found.id };
    return this.source === 'frame'
      ? 'No dataset is chosen'
      : 'The run has no recorded episode; evaluate it on the bench first';
  }

  edit({ images, instruction, proprio }: From<'setObservation'>): void {
    this.pictures.arrange(images);
    this.instruction = instruction;
    this.proprio = proprio;
  }

  add(pictures: readonly { readonly name: string; readonly content: Uint8Array }[]): string[] {
    this.source = 'images';
    const faults = pictures.flatMap(({ name, content }) => this.pictures.add(name, content) ?? []);
    if (this.cameras) this.pictures.sort(this.cameras);
    return faults;
  }

  /** Reads pictures of the workspace's machine; answers one sentence for each that cannot be taken. */
  async addFiles(uris: readonly Uri[]): Promise<string[]> {
    const read = await Promise.all(uris.slice(0, mostPictures + 1).map(readPicture));
    const faults = read.filter(isString);
    return [...faults, ...this.add(read.filter((one) => typeof one !== 'string'))];
  }

  /** Pictures of the machine that the workspace is on. */
  async pickPictures(): Promise<string[]> {
    const picked = await window.showOpenDialog({
      title: 'Pictures in camera order',
      canSelectMany: true,
      filters: { Pictures: ['png', 'jpg', 'jpeg'] },
    });
    return this.addFiles(picked ?? []);
  }

  /** Undefined when nothing was picked. Throws the server's sentence for a file without frames. */
  async pickDataset(given?: Uri): Promise<boolean> {
    const picked = given
      ? [given]
      : await window.showOpenDialog({
          title: 'Demonstrations, a recorded episode, or one frame',
          filters: { Frames: ['safetensors', 'json', 'gz'] },
        });
    const [uri] = picked ?? [];
    if (!uri) return false;
    const path = uri.fsPath;
    const frames = await this.parts.server.request('mergevla/frame/list', { path });
    this.dataset = { path, frames };
    this.source = 'frame';
    const [first] = frames;
    if (first) this.chosen.set('frame', first.id);
    return true;
  }

  /** A sentence of the command, with the user's own names of the pictures. */
  inNames(sentence: string): string {
    return this.pictures.inNames(sentence);
  }

  content(id: string): string | undefined {
    return this.pictures.content(id);
  }

  dispose(): void {
    void this.pictures.dispose();
  }

  private frames(): readonly FrameChoice[] {
    if (this.source === 'images') return [];
    return this.source === 'frame' ? (this.dataset?.frames ?? []) : this.episodes;
  }

  private frame(): string | undefined {
    const frames = this.frames();
    const wanted = this.chosen.get(this.source);
    return frames.find(({ id }) => id === wanted)?.id ?? frames[0]?.id;
  }

  private async givenRequest(): Promise<RouterRequest | string> {
    const { instruction, cameras } = this;
    const count = this.pictures.list().length;
    if (count === 0) return 'There are no pictures yet: drop them on the panel, or choose files';
    if (cameras && count !== cameras.length)
      return `The policy takes ${String(cameras.length)} pictures (${cameras.join(', ')}), and there are ${String(count)}`;
    if (instruction.trim() === '') return 'The instruction is empty';
    const proprio = parseState(this.proprio);
    if (proprio === undefined) return 'The robot state is no list of numbers';
    return {
      images: await this.pictures.files(),
      instruction,
      ...(proprio.length > 0 ? { proprio } : {}),
    };
  }
}

/** A picture, or one sentence on why there is none; nothing large is read. */
async function readPicture(
  uri: Uri,
): Promise<{ readonly name: string; readonly content: Uint8Array } | string> {
  const name = basename(uri.path);
  try {
    const { type, size } = await workspace.fs.stat(uri);
    if ((type & FileType.File) === 0) return `${name} is no file`;
    if (size > largestPicture) return `${name} is larger than 8 MB`;
    return { name, content: await workspace.fs.readFile(uri) };
  } catch {
    return `${name} cannot be read`;
  }
}
