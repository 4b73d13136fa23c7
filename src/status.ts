import {
  Disposable,
  languages,
  LanguageStatusSeverity,
  MarkdownString,
  StatusBarAlignment,
  window,
  workspace,
} from 'vscode';
import type { Server } from './client';
import { policyDevice, statusBarEnabled } from './config';
import { formatProgress } from './format';
import type { Runs } from './runs';

/** The language status item: the server's state, or why a recipe gets no help. */
export function createLanguageStatus(server: Server): Disposable {
  const item = languages.createLanguageStatusItem('mergevla.server', { language: 'mergevla' });
  item.name = 'MergeVLA';
  const show = (): void => {
    item.busy = server.state === 'starting';
    item.severity =
      server.state === 'stopped'
        ? LanguageStatusSeverity.Error
        : workspace.isTrusted
          ? LanguageStatusSeverity.Information
          : LanguageStatusSeverity.Warning;
    item.text = server.state === 'stopped' ? 'MergeVLA: server stopped' : 'MergeVLA';
    const device = policyDevice();
    const where = device === '' ? 'device of the recipe' : device;
    item.detail = workspace.isTrusted
      ? `recipe version 1 · ${where}`
      : 'restricted: checkpoints are not read';
    item.command =
      server.state === 'stopped'
        ? { command: 'mergevla.restartServer', title: 'Restart' }
        : { command: 'mergevla.showLog', title: 'Show Log' };
  };
  show();
  const foreign = languages.createLanguageStatusItem('mergevla.foreign', {
    language: 'yaml',
    pattern: '**/*.mergevla.{yaml,yml}',
  });
  foreign.name = 'MergeVLA';
  foreign.text = 'MergeVLA is off for this file';
  foreign.detail = 'the language mode is YAML';
  foreign.severity = LanguageStatusSeverity.Warning;
  foreign.command = { command: 'mergevla.changeLanguage', title: 'Change Language Mode' };
  const subscriptions = [
    server.onDidChangeState(show),
    workspace.onDidGrantWorkspaceTrust(show),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('mergevla.device')) show();
    }),
    item,
    foreign,
  ];
  return Disposable.from(...subscriptions);
}

/** One item while a job works; a click opens its folder. */
export function createJobStatus(runs: Runs): Disposable {
  const item = window.createStatusBarItem('mergevla.job', StatusBarAlignment.Left, 10);
  item.name = 'MergeVLA Job';
  const show = (): void => {
    const [run, ...others] = runs.running();
    if (!run || !statusBarEnabled()) {
      item.hide();
      return;
    }
    const progress = run.progress ? formatProgress(run.progress) : run.state;
    const more = others.length > 0 ? ` (+${String(others.length)})` : '';
    item.text = `$(sync~spin) ${capital(progress)}${more}`;
    item.tooltip = new MarkdownString(
      `**${run.name}**\n\n${progress}\n\nClick to open its folder.`,
    );
    item.command = {
      command: 'mergevla.openRunFolder',
      title: 'Open Run Folder',
      arguments: [run.path],
    };
    item.show();
  };
  show();
  const subscriptions = [
    runs.onDidChange(show),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('mergevla.statusBar')) show();
    }),
    item,
  ];
  return Disposable.from(...subscriptions);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
