import { EventEmitter, ThemeIcon, TreeItem, workspace, type TreeDataProvider } from 'vscode';
import type { DeviceSummary } from '../../server/protocol/methods';
import type { Server } from '../client';

export interface DevicesTree extends TreeDataProvider<TreeItem> {
  refresh(): void;
}

/** Processors as the compute backend names them. */
export function createDevicesTree(server: Server): DevicesTree {
  const changed = new EventEmitter<undefined>();
  return {
    onDidChangeTreeData: changed.event,
    refresh: () => changed.fire(undefined),
    getTreeItem: (item) => item,
    getChildren: async (item) => {
      if (item || !workspace.isTrusted || server.state === 'stopped') return [];
      return (await server.request('mergevla/device/list', {})).map(node);
    },
  };
}

function node(device: DeviceSummary): TreeItem {
  const item = new TreeItem(device.id.toUpperCase());
  item.description = device.detail;
  item.tooltip = `${device.id}: ${device.detail}`;
  item.iconPath = new ThemeIcon(device.usable ? 'chip' : 'circle-slash');
  return item;
}
