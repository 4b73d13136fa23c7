import { commands, env, Uri, window, workspace } from 'vscode';
import type { CommonFromPanel } from '../../server/protocol/panels/shared';

/** Actions that a panel may ask for by the names that we gave it, and the command behind each. */
const actions: Readonly<Record<string, string>> = {
  newRecipe: 'mergevla.newRecipe',
  openSample: 'mergevla.openSample',
  merge: 'mergevla.merge',
  evaluate: 'mergevla.evaluate',
  showLog: 'mergevla.showLog',
  restartServer: 'mergevla.restartServer',
  import: 'mergevla.importResults',
  recordTrials: 'mergevla.recordTrials',
};

/** Does what every panel can ask for. False: the message is the panel's own. */
export async function handleCommon(message: CommonFromPanel): Promise<boolean> {
  switch (message.type) {
    case 'copy':
      await env.clipboard.writeText(message.text);
      return true;
    case 'export':
      await save(message);
      return true;
    case 'action': {
      const command = actions[message.id];
      if (command === undefined) return false;
      await commands.executeCommand(command);
      return true;
    }
    default:
      return false;
  }
}

async function save({
  name,
  format,
  content,
}: Extract<CommonFromPanel, { type: 'export' }>): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const file = `${name.replace(/[^\w.-]+/g, '-')}.${format}`;
  const target = await window.showSaveDialog({
    ...(folder ? { defaultUri: Uri.joinPath(folder, file) } : {}),
    filters: { [format.toUpperCase()]: [format] },
  });
  if (!target) return;
  const bytes = Buffer.from(content, format === 'png' ? 'base64' : 'utf8');
  await workspace.fs.writeFile(target, bytes);
  const open = await window.showInformationMessage(`Saved ${target.fsPath}`, 'Open');
  if (open) await commands.executeCommand('vscode.open', target);
}
