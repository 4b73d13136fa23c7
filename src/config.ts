import { workspace } from 'vscode';

/** How jobs are started. */
export interface JobSettings {
  /** Path of a Node.js, or empty for the one that VS Code brings. */
  readonly node: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly notifyWhenDone: boolean;
}

/** Read anew at each use, so that a change takes effect without a reload. */
export function jobSettings(): JobSettings {
  const section = workspace.getConfiguration('mergevla');
  return {
    node: section.get('job.node', ''),
    environment: section.get<Record<string, string>>('job.environment', {}),
    notifyWhenDone: section.get('job.notifyWhenDone', true),
  };
}

export function statusBarEnabled(): boolean {
  return workspace.getConfiguration('mergevla').get('statusBar.enabled', true);
}

/** The user does not want to be told when a job has ended. */
export async function stopNotifying(): Promise<void> {
  await workspace.getConfiguration('mergevla').update('job.notifyWhenDone', false, true);
}

/** Settings that the user changed, by name, for the environment report. */
export function changedSettings(names: readonly string[]): Record<string, unknown> {
  const section = workspace.getConfiguration();
  const changed: Record<string, unknown> = {};
  for (const name of names) {
    const value: unknown = section.get(name);
    const standard: unknown = section.inspect(name)?.defaultValue;
    if (JSON.stringify(value) !== JSON.stringify(standard)) changed[name] = value;
  }
  return changed;
}

/** Device for policies that are asked, served or evaluated from the editor; empty for what their recipe says. */
export function policyDevice(): string {
  return workspace.getConfiguration('mergevla').get('device', '');
}

/** The same as arguments of the command. */
export function deviceArguments(): string[] {
  const device = policyDevice();
  return device === '' ? [] : ['--device', device];
}

export async function selectPolicyDevice(device: string): Promise<void> {
  await workspace.getConfiguration('mergevla').update('device', device, true);
}
