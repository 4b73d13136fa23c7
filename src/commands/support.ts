import { env, window } from 'vscode';
import { environmentReport } from '../environment-report';
import type { Commands, Parts } from './context';

/** Commands for when something does not work. */
export function supportCommands(parts: Parts, refresh: () => Promise<void>): Commands {
  return {
    'mergevla.refresh': refresh,
    'mergevla.showLog': () => parts.logs.server.show(),
    'mergevla.restartServer': () => parts.server.restart(),
    'mergevla.reportEnvironment': () => reportEnvironment(parts),
  };
}

/** Puts the report on the clipboard and answers it. */
async function reportEnvironment(parts: Parts): Promise<string> {
  const text = await environmentReport(parts);
  await env.clipboard.writeText(text);
  void window.showInformationMessage('The environment report is on the clipboard.');
  return text;
}
