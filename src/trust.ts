import { window, workspace, type Disposable } from 'vscode';
import type { Server } from './client';

/** Tells the server when the user trusts the workspace: from then on it reads checkpoints and starts jobs. */
export function followTrust(server: Server, refresh: () => Promise<void>): Disposable {
  return workspace.onDidGrantWorkspaceTrust(() => {
    void server.notify('mergevla/trust/granted', {}).then(refresh);
  });
}

/** Whether jobs may start; says so when they may not, for commands that code can call all the same. */
export function isTrusted(): boolean {
  if (workspace.isTrusted) return true;
  void window.showWarningMessage('The workspace is not trusted, so no job is started.');
  return false;
}
