import { workspace, type Disposable } from 'vscode';
import type { Server } from './client';

/** Tells the server when the user trusts the workspace: from then on it reads checkpoints and starts jobs. */
export function followTrust(server: Server, refresh: () => Promise<void>): Disposable {
  return workspace.onDidGrantWorkspaceTrust(() => {
    void server.notify('mergevla/trust/granted', {}).then(refresh);
  });
}
