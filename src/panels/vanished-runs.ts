import { stat } from 'node:fs/promises';
import { runKey } from '../../server/protocol/events';
import type { Banner } from '../../server/protocol/panels/shared';
import type { DeletedRuns } from '../deleted-runs';

interface NamedRun {
  readonly path: string;
  readonly name: string;
}

/** Runs whose rows went while a panel was open: deleted here, which can be undone, or removed by others. */
export class VanishedRuns {
  private readonly known = new Map<string, string>();
  private readonly removed = new Map<string, string>();

  constructor(private readonly deleted: Pick<DeletedRuns, 'list' | 'restore'>) {}

  /** What to say above the table that has these runs. */
  async banners(runs: readonly NamedRun[]): Promise<readonly Banner[]> {
    const undoable = this.deleted.list();
    const gone = [...this.known].filter(([key]) => !runs.some(({ path }) => runKey(path) === key));
    for (const [key, name] of gone) {
      const isUndoable = undoable.some(({ path }) => runKey(path) === key);
      // A server that starts again knows no run for a moment; what is on the disk did not go.
      if (isUndoable || (await isThere(key))) continue;
      this.known.delete(key);
      this.removed.set(key, name);
    }
    for (const { path, name } of runs) {
      this.known.set(runKey(path), name);
      this.removed.delete(runKey(path));
    }
    return [
      ...undoable.map(({ path, name }) =>
        banner(`${name} was deleted`, { label: 'Undo', id: `undo ${path}` }),
      ),
      ...[...this.removed].map(([key, name]) =>
        banner(`${name} was removed outside of the editor, so there is nothing to undo`, {
          label: 'Dismiss',
          id: `dismiss ${key}`,
        }),
      ),
    ];
  }

  /** Does what a banner offered; false for an action that is not of one. */
  async act(id: string): Promise<boolean> {
    const [, what, path = ''] = /^(undo|dismiss) (.*)$/s.exec(id) ?? [];
    if (what === 'undo') await this.deleted.restore(path);
    else if (what === 'dismiss') this.removed.delete(path);
    return what !== undefined;
  }
}

const banner = (text: string, action: NonNullable<Banner['action']>): Banner => ({
  level: 'warning',
  text,
  action,
});

/** Under its own name, or while it is written. */
async function isThere(path: string): Promise<boolean> {
  const found = await Promise.allSettled([stat(path), stat(`${path}.partial`)]);
  return found.some(({ status }) => status === 'fulfilled');
}
