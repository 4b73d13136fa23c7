import { window, type Disposable, type LogOutputChannel } from 'vscode';

/** The two channels people are asked for in bug reports. */
export interface Logs extends Disposable {
  readonly extension: LogOutputChannel;
  /** Language server and jobs. */
  readonly server: LogOutputChannel;
}

export function createLogs(): Logs {
  const extension = window.createOutputChannel('MergeVLA', { log: true });
  const server = window.createOutputChannel('MergeVLA Server and Jobs', { log: true });
  return {
    extension,
    server,
    dispose: () => {
      extension.dispose();
      server.dispose();
    },
  };
}
