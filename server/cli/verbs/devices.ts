import type { Device } from '../../compute/devices';
import { probeDevices } from '../../compute/probed-devices';
import { formatTable } from '../table';
import { formatBytes } from '../units';
import type { Call, Outcome } from '../verb';

export async function run({ terminal, signal }: Call): Promise<Outcome> {
  const devices = await probeDevices({ signal });
  const columns = [
    { title: 'device' },
    { title: 'name' },
    { title: 'backend' },
    { title: 'threads', align: 'right' },
    { title: 'memory' },
    { title: 'runs' },
  ] as const;
  const table = formatTable(columns, devices.map(rowOf), terminal.style);
  const reasons = devices
    .filter((device) => device.reason)
    .map((device) => `${device.id}: ${device.reason ?? ''}`);
  return {
    code: 0,
    json: { devices },
    text: [table, ...(reasons.length > 0 ? ['', ...reasons] : [])].join('\n'),
  };
}

function rowOf(device: Device): string[] {
  const memory = device.memoryBytes;
  return [
    device.id,
    device.name,
    device.backend,
    device.threads === undefined ? '' : String(device.threads),
    memory ? `${formatBytes(memory.available)} of ${formatBytes(memory.total)}` : '',
    device.runs.length > 0 ? device.runs.join(', ') : 'nothing',
  ];
}
