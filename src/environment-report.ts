import { arch, cpus, homedir, platform, release, totalmem, userInfo } from 'node:os';
import { env, version, workspace } from 'vscode';
import { runCommand } from './command-line';
import type { Parts } from './commands/context';
import { changedSettings } from './config';
import { formatBytes } from './format';

/** Markdown for a bug report: versions, devices, changed settings. Holds no user name and no home path. */
export async function environmentReport(parts: Parts): Promise<string> {
  const manifest = parts.context.extension.packageJSON as {
    version: string;
    contributes: { configuration: { properties: Record<string, unknown> }[] };
  };
  const names = manifest.contributes.configuration.flatMap(({ properties }) =>
    Object.keys(properties),
  );
  const rows: [string, string][] = [
    ['MergeVLA', manifest.version],
    ['VS Code', `${version} (${env.appHost})`],
    ['System', `${platform()} ${release()} ${arch()}`],
    ['Processor', `${cpus()[0]?.model ?? 'unknown'} × ${String(cpus().length)}`],
    ['Memory', formatBytes(totalmem())],
    ['Node.js', process.versions.node],
    [
      'Workspace',
      `${String(workspace.workspaceFolders?.length ?? 0)} folders, ${workspace.isTrusted ? 'trusted' : 'not trusted'}`,
    ],
    ['Language server', parts.server.state],
    ['Runs', `${String(parts.runs.list().length)}, ${String(parts.runs.running().length)} running`],
    ['Changed settings', JSON.stringify(changedSettings(names))],
    ['Devices', workspace.isTrusted ? await devices(parts) : 'not asked'],
  ];
  const text = rows.map(([name, value]) => `- ${name}: ${value}`).join('\n');
  return withoutPerson(`## MergeVLA environment\n\n${text}\n`);
}

async function devices(parts: Parts): Promise<string> {
  const { code, stdout, stderr } = await runCommand(parts.cli, ['devices', '--no-color']);
  return (code === 0 ? stdout : stderr).trim().split('\n').join('; ');
}

/** Reports are pasted in public places. */
function withoutPerson(text: string): string {
  const { username } = userInfo();
  const home = text.replaceAll(homedir(), '~');
  return username.length > 2 ? home.replaceAll(username, '<user>') : home;
}
