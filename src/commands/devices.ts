import { commands, ProgressLocation, Uri, window, workspace } from 'vscode';
import { arrayOf, isRecord, isString, object, optional } from '../../server/protocol/shape';
import { runCommand } from '../command-line';
import { selectPolicyDevice } from '../config';
import { isRecipe } from '../recipes';
import { asWorkspaceEdit } from '../text-edits';
import { isTrusted } from '../trust';
import type { Commands, Parts } from './context';
import { parseJson } from './asked';

/** Commands on processors. */
export function deviceCommands(parts: Parts): Commands {
  return {
    'mergevla.selectDevice': (recipe, device) => selectDevice(parts, recipe, device),
  };
}

interface ListedDevice {
  readonly id: string;
  readonly name: string;
  readonly backend: string;
  readonly runs: readonly string[];
  readonly reason?: string;
}

const isDevices = arrayOf(
  object<ListedDevice>({
    ...{ id: isString, name: isString, backend: isString },
    ...{ runs: arrayOf(isString), reason: optional(isString) },
  }),
);

/**
 * Writes the device into the recipe given or active, as one edit that can be undone; without a recipe,
 * into the setting for policies. Answers the device.
 */
async function selectDevice(
  parts: Parts,
  recipe: unknown,
  given: unknown,
): Promise<string | undefined> {
  if (!isTrusted()) return undefined;
  const uri = recipe instanceof Uri ? recipe : activeRecipe();
  const device = typeof given === 'string' ? given : await askDevice(parts, uri);
  if (device === undefined) return undefined;
  if (uri) await writeDevice(parts, uri, device);
  else await selectPolicyDevice(device === 'auto' ? '' : device);
  return device;
}

function activeRecipe(): Uri | undefined {
  const document = window.activeTextEditor?.document;
  return document && isRecipe(document) ? document.uri : undefined;
}

async function writeDevice(parts: Parts, uri: Uri, device: string): Promise<void> {
  await workspace.openTextDocument(uri);
  const edits = await parts.server.request('mergevla/recipe/edit', {
    ...{ uri: uri.toString(), values: [], device },
  });
  await workspace.applyEdit(asWorkspaceEdit(uri, edits));
}

async function askDevice(parts: Parts, uri: Uri | undefined): Promise<string | undefined> {
  const devices = await listedDevices(parts);
  if (!devices) return undefined;
  const auto = { label: 'auto', description: 'the best that is there', detail: '', usable: true };
  const items = devices.map(({ id, name, backend, runs, reason = '' }) => ({
    label: id,
    description: `${name} (${backend})`,
    detail:
      runs.length > 0 ? [`runs ${runs.join(', ')}`, reason].filter(Boolean).join('; ') : reason,
    usable: runs.length > 0,
  }));
  const where = uri ? workspace.asRelativePath(uri) : 'all policies';
  const picked = await window.showQuickPick([auto, ...items], { title: `Device for ${where}` });
  if (!picked || picked.usable) return picked?.label;
  void window.showWarningMessage(`${picked.label} cannot be used: ${picked.detail}`);
  return undefined;
}

/** Every device was tried in a process that may die, so this takes seconds. */
async function listedDevices(parts: Parts): Promise<readonly ListedDevice[] | undefined> {
  const result = await window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: 'Looking for devices',
      cancellable: true,
    },
    (_progress, token) => runCommand(parts.cli, ['devices', '--json'], { token }),
  );
  if (result.cancelled) return undefined;
  const value = parseJson(result.stdout);
  const devices = isRecord(value) ? value['devices'] : undefined;
  if (isDevices(devices)) return devices;
  parts.logs.extension.error(`devices: ${result.stderr}`);
  const action = await window.showErrorMessage('The devices could not be listed.', 'Show Log');
  if (action) await commands.executeCommand('mergevla.showLog');
  return undefined;
}
