import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  largestPicture,
  mostPictures,
  type GivenPicture,
} from '../../server/protocol/panels/routing';

interface Kept extends GivenPicture {
  readonly content: Uint8Array;
}

/** First bytes of what the policy's decoder reads. */
const kinds = [
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
];

/**
 * Pictures of one observation as the user gave them, in camera order. They may come from another machine
 * than the one that routes, so the command gets copies in a folder of their own.
 */
export class GivenPictures {
  private kept: readonly Kept[] = [];
  private count = 0;
  private folder: Promise<string> | undefined;
  /** Names by the paths that were written. */
  private readonly written = new Map<string, string>();

  list(): readonly GivenPicture[] {
    return this.kept.map(({ id, name, bytes }) => ({ id, name, bytes }));
  }

  /** Undefined, or one sentence on why the picture was not taken. */
  add(name: string, content: Uint8Array): string | undefined {
    if (!kinds.some((kind) => kind.every((byte, i) => content[i] === byte)))
      return `${name} is neither a PNG nor a JPEG`;
    if (content.length > largestPicture) return `${name} is larger than 8 MB`;
    if (this.kept.length >= mostPictures)
      return `${name} was left out: an observation has at most ${String(mostPictures)} pictures`;
    this.count += 1;
    this.kept = [
      ...this.kept,
      { id: `picture-${String(this.count)}`, name, bytes: content.length, content },
    ];
    return undefined;
  }

  /** Keeps these, in this order. */
  arrange(ids: readonly string[]): void {
    this.kept = ids.flatMap((id) => this.kept.find((one) => one.id === id) ?? []);
  }

  /** Puts pictures whose names tell their cameras in the cameras' order; others stay as they are. */
  sort(cameras: readonly string[]): void {
    const byCamera = cameras.map((camera) =>
      this.kept.filter(({ name }) => name.toLowerCase().includes(camera.toLowerCase())),
    );
    const found = byCamera.flatMap((named) => (named.length === 1 ? named : []));
    const isClear = found.length === this.kept.length && new Set(found).size === found.length;
    if (isClear) this.kept = found;
  }

  content(id: string): string | undefined {
    const found = this.kept.find((one) => one.id === id);
    return found && Buffer.from(found.content).toString('base64');
  }

  /** Writes the pictures and gives their paths in camera order. */
  async files(): Promise<readonly string[]> {
    this.folder ??= mkdtemp(join(tmpdir(), 'mergevla-pictures-'));
    const folder = await this.folder;
    return Promise.all(
      this.kept.map(async ({ id, name, content }) => {
        const path = join(folder, `${id} ${name.replace(/[^\w.-]+/g, '-').slice(-80)}`);
        await writeFile(path, content);
        this.written.set(path, name);
        return path;
      }),
    );
  }

  /** A sentence about the written files in the names that the user knows. */
  inNames(sentence: string): string {
    return [...this.written].reduce((text, [path, name]) => text.replaceAll(path, name), sentence);
  }

  async dispose(): Promise<void> {
    this.kept = [];
    if (this.folder) await rm(await this.folder, { recursive: true, force: true });
  }
}
