import { stat } from 'node:fs/promises';
import type { ServerContext } from './context';
import { pathOf } from './convert';
import { outputFolders } from './recipes';

/** How often files are looked at: where the system tells changes this is a second look, elsewhere the only one. */
const slowMs = 10_000;
const fastMs = 2000;

/** Takes what the editor's watchers tell, and looks by itself in case they do not tell everything. */
export function watchFiles(context: ServerContext): void {
  const { connection, files } = context;
  const seen = new Map<string, string>();
  const told = new Set<string>();
  connection.onDidChangeWatchedFiles(({ changes }) => {
    const paths = changes.flatMap(({ uri }) => pathOf(uri) ?? []);
    for (const path of paths) told.add(path);
    files.refresh(paths.filter((path) => /\.(?:safetensors|json)$/.test(path)));
    if (paths.some((path) => path.endsWith('run.json'))) void scanRuns(context);
  });
  let polling = false;
  const tick = async (): Promise<void> => {
    const changed = await changedFiles(context, seen);
    if (changed.length > 0) files.refresh(changed);
    if (!polling && changed.some((path) => ![...told].some((other) => other.startsWith(path)))) {
      polling = true;
      const reason = 'changes of checkpoints are not told by the system';
      void connection.sendNotification('mergevla/files/polling', { reason });
    }
    told.clear();
    await scanRuns(context);
    const wanted = polling || (await asksPolling(context));
    setTimeout(() => void tick(), wanted ? fastMs : slowMs).unref();
  };
  setTimeout(() => void tick(), fastMs).unref();
}

async function asksPolling({ documents, settings }: ServerContext): Promise<boolean> {
  const open = await Promise.all(documents.all().map(({ uri }) => settings.of(uri)));
  return open.some(({ polling }) => polling);
}

async function scanRuns({ runs, session }: ServerContext): Promise<void> {
  await runs.scan(await outputFolders(session.folders));
}

/** Files of open recipes whose size or time is not what it was at the last look. */
async function changedFiles(
  { documents, files }: ServerContext,
  seen: Map<string, string>,
): Promise<string[]> {
  const checkpoints = documents.all().flatMap((recipe) => files.loaded(recipe)?.checkpoints ?? []);
  const paths = new Set(
    checkpoints.flatMap(({ path, checkpoint }) => [
      path,
      ...(checkpoint?.files.map((file) => file.path) ?? []),
    ]),
  );
  const changed: string[] = [];
  for (const path of paths) {
    const now = await stat(path).then(
      ({ size, mtimeMs, ino }) => [size, mtimeMs, ino].join(' '),
      () => 'absent',
    );
    const before = seen.get(path);
    seen.set(path, now);
    if (before !== undefined && before !== now) changed.push(path);
  }
  for (const path of seen.keys()) if (!paths.has(path)) seen.delete(path);
  return changed;
}
