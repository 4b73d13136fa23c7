import { mkdir, rename, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A run that was deleted and can still be brought back. */
export interface DeletedRun {
  /** Where it was, and comes back to. */
  readonly path: string;
  readonly name: string;
}

/**
 * Runs deleted in this window. They lie in `.deleted` beside their run, on the same disk, so that
 * deleting and undoing are one rename. They go for good once nobody offers the undo any more.
 * What a window left there when it closed stays: nobody lists it or removes it, and moved back
 * beside the other runs it is one again.
 */
export class DeletedRuns {
  private readonly kept = new Map<string, DeletedRun & { readonly place: string }>();
  private holders = 0;

  /** `discard` puts a folder into the system's trash, or removes it where there is none. */
  constructor(private readonly discard: (path: string) => Promise<void>) {}

  list(): readonly DeletedRun[] {
    return [...this.kept.values()];
  }

  /** Throws what the system says when the folder cannot be moved, for example while it is in use. */
  async delete({ path, name }: DeletedRun): Promise<void> {
    const folder = join(dirname(path), '.deleted');
    await mkdir(folder, { recursive: true });
    const place = join(folder, `${basename(path)}-${String(Date.now())}`);
    await rename(path, place);
    this.kept.set(path, { path, name, place });
  }

  /** Throws what the system says, for example when another run has its place now. */
  async restore(path: string): Promise<void> {
    const found = this.kept.get(path);
    if (!found) return;
    await rename(found.place, path);
    this.kept.delete(path);
    await this.removeFolder(found.place);
  }

  /** Keeps what was deleted until it is released: a panel or a message offers the undo. */
  hold(): { readonly dispose: () => Promise<void> } {
    this.holders += 1;
    let held = true;
    return {
      dispose: async () => {
        if (!held) return;
        held = false;
        this.holders -= 1;
        if (this.holders === 0) await this.discardAll();
      },
    };
  }

  private async discardAll(): Promise<void> {
    for (const { path, place } of [...this.kept.values()]) {
      this.kept.delete(path);
      await this.discard(place);
      await this.removeFolder(place);
    }
  }

  /** The folder goes with the last run in it. */
  private async removeFolder(place: string): Promise<void> {
    await rmdir(dirname(place)).catch(() => undefined);
  }
}
