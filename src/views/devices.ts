import { EventEmitter, ThemeIcon, TreeItem, workspace, type TreeDataProvider } from 'vscode';
import { runCommand } from '../command-line';
import type { Logs } from '../log';

export interface DevicesTree extends TreeDataProvider<TreeItem> {
  refresh(): void;
}

/** What the tree shows of one device, whatever else `mergevla devices --json` tells. */
interface Device {
  readonly label: string;
  readonly detail: string;
  readonly usable: boolean;
}

/** Processors as the compute backend names them; asked once, and again on refresh. */
export function createDevicesTree(cli: string, logs: Logs): DevicesTree {
  const changed = new EventEmitter<undefined>();
  let known: Promise<readonly Device[]> | undefined;
  return {
    onDidChangeTreeData: changed.event,
    refresh: () => {
      known = undefined;
      changed.fire(undefined);
    },
    getTreeItem: (item) => item,
    getChildren: async (item) => {
      if (item || !workspace.isTrusted) return [];
      known ??= askDevices(cli, logs);
      return (await known).map(node);
    },
  };
}

async function askDevices(cli: string, logs: Logs): Promise<readonly Device[]> {
  const { code, stdout, stderr } = await runCommand(cli, ['devices', '--json']);
  if (code !== 0) {
    logs.server.warn(`devices could not be listed: ${stderr}`);
    return [];
  }
  return parseDevices(JSON.parse(stdout));
}

/** Reads the list leniently: a name is enough, the rest is description. */
export function parseDevices(answer: unknown): readonly Device[] {
  if (typeof answer !== 'object' || answer === null || !('devices' in answer)) return [];
  const { devices } = answer;
  if (!Array.isArray(devices)) return [];
  return devices.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const record = entry as Partial<Record<string, unknown>>;
    const text = (key: string): string | undefined =>
      typeof record[key] === 'string' ? record[key] : undefined;
    const label = text('id') ?? text('name');
    if (label === undefined) return [];
    const usable = record['available'] !== false && record['usable'] !== false;
    const detail = usable ? (text('description') ?? text('name')) : text('reason');
    return [{ label, usable, detail: detail ?? '' }];
  });
}

function node(device: Device): TreeItem {
  const item = new TreeItem(device.label);
  item.description = device.detail;
  item.tooltip = `${device.label}: ${device.detail}`;
  item.iconPath = new ThemeIcon(device.usable ? 'chip' : 'circle-slash');
  return item;
}
