import { RelativePattern, Uri, workspace } from 'vscode';
import { readSweep } from './study-files';
import type { StudySweep } from './study-view';

/** More sweeps than this are not looked at. */
const mostSweeps = 20;

/** Sweeps below the workspace's folders with what their points have rolled out so far. */
export async function readSweeps(): Promise<readonly StudySweep[]> {
  const folders = workspace.workspaceFolders ?? [];
  const found = await Promise.all(
    folders.map((folder) =>
      workspace.findFiles(
        new RelativePattern(folder, '**/sweep.json'),
        '**/node_modules/**',
        mostSweeps,
      ),
    ),
  );
  const sweeps = await Promise.all(
    found.flat().map((file) => {
      const folder = Uri.joinPath(file, '..');
      const place = {
        name: folder.path.split('/').at(-1) ?? '',
        run: (id: string) => Uri.joinPath(folder, 'points', id, 'run').fsPath,
      };
      return readSweep(place, (...parts) => readText(Uri.joinPath(folder, ...parts)));
    }),
  );
  return sweeps.filter((sweep) => sweep !== undefined);
}

async function readText(file: Uri): Promise<string> {
  try {
    return new TextDecoder().decode(await workspace.fs.readFile(file));
  } catch {
    return '';
  }
}
