import { listDevices, type Device } from './devices';
import { probeProviders, type Provider, type ProbeOptions, type ProviderReport } from './providers';

const names: Readonly<Record<Provider, string>> = {
  cpu: 'processor',
  cuda: 'CUDA',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'Core ML',
};

/**
 * The devices of this machine, and what onnxruntime can run policies on: every provider of the
 * platform was tried in a child process. Takes seconds, so only jobs call it.
 */
export async function probeDevices(options: ProbeOptions = {}): Promise<Device[]> {
  const reports = await probeProviders(options);
  const cuda = reports.find(({ provider }) => provider === 'cuda');
  const known = listDevices();
  const cards = known.filter(({ kind }) => kind === 'gpu').map((card) => withCuda(card, cuda));
  const others = reports.filter(
    ({ provider }) => provider !== 'cpu' && !(provider === 'cuda' && cards.length > 0),
  );
  const processor = known.filter(({ kind }) => kind === 'cpu');
  const cpu = reports.find(({ provider }) => provider === 'cpu');
  return [...processor.map((device) => withCpu(device, cpu)), ...cards, ...others.map(asDevice)];
}

function withCpu(device: Device, report: ProviderReport | undefined): Device {
  if (!report || report.usable) return device;
  return { ...device, runs: ['merge'], reason: `policies cannot run: ${explain(report)}` };
}

function withCuda(card: Device, report: ProviderReport | undefined): Device {
  if (!report?.usable) return report ? { ...card, reason: explain(report) } : card;
  return { ...card, runs: ['policy'] };
}

function asDevice(report: ProviderReport): Device {
  const { provider, usable } = report;
  return {
    id: provider,
    name: names[provider],
    kind: 'gpu',
    backend: 'onnxruntime',
    runs: usable ? ['policy'] : [],
    ...(usable ? {} : { reason: explain(report) }),
  };
}

function explain({ reason, remedy }: ProviderReport): string {
  return [reason, remedy].filter(Boolean).join('; ');
}
