import { execFile, type ExecFileException } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MergeError, throwIfCancelled } from '../protocol/merge-error';
import { OnnxGraph } from './onnx-graph';

/** Execution providers of the runtime that we use, by the runtime's own names. */
export const providers = ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;
export type Provider = (typeof providers)[number];

export interface ProviderReport {
  readonly provider: Provider;
  readonly usable: boolean;
  /** Why it is not usable, in one sentence. */
  readonly reason?: string;
  /** What would make it usable. */
  readonly remedy?: string;
}

export interface ProbeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

/** Providers that exist for this platform at all. */
export function platformProviders(): readonly Provider[] {
  switch (process.platform) {
    case 'win32':
      return ['cpu', 'dml', 'webgpu'];
    case 'darwin':
      return ['cpu', 'coreml', 'webgpu'];
    default:
      return process.arch === 'x64' ? ['cpu', 'cuda', 'webgpu'] : ['cpu'];
  }
}

const remedies: Readonly<Record<Provider, string>> = {
  cpu: 'install the package again',
  cuda: 'it needs an NVIDIA driver, the CUDA 13 libraries, and libonnxruntime_providers_cuda.so and libonnxruntime_providers_shared.so (from the Python wheel onnxruntime-gpu of the same version) beside the onnxruntime binding',
  webgpu: 'it needs a GPU with a current Vulkan, Metal or Direct3D 12 driver',
  dml: 'it needs Windows 10 or later and a Direct3D 12 GPU',
  coreml: 'it needs macOS on Apple silicon',
};

/**
 * Runs a tiny model on a provider in a child process, which may die without harm. Never throws but
 * `Cancelled`: what goes wrong is the reason in the report.
 */
export async function probeProvider(
  provider: Provider,
  options: ProbeOptions = {},
): Promise<ProviderReport> {
  throwIfCancelled(options.signal);
  if (!platformProviders().includes(provider))
    return {
      provider,
      usable: false,
      reason: `onnxruntime has no ${provider} for ${process.platform} on ${process.arch}`,
    };
  const reason = await runProbe(provider, options);
  throwIfCancelled(options.signal);
  if (reason === undefined) return { provider, usable: true };
  return { provider, usable: false, reason, remedy: remedies[provider] };
}

/** All providers of this platform, one after another: some drivers do not like company. */
export async function probeProviders(options: ProbeOptions = {}): Promise<ProviderReport[]> {
  const reports: ProviderReport[] = [];
  for (const provider of platformProviders()) reports.push(await probeProvider(provider, options));
  return reports;
}

/**
 * The provider for `run.device`: `auto` is CUDA where it works and the processor otherwise; a name is
 * that provider or an error (MV585) with the reason. Nothing falls back silently.
 */
export async function chooseProvider(
  wanted: string,
  options: ProbeOptions = {},
): Promise<Provider> {
  if (wanted === 'auto') {
    if (!hasCudaProvider()) return 'cpu';
    return (await probeProvider('cuda', options)).usable ? 'cuda' : 'cpu';
  }
  // Cards are numbered in the list of devices: cuda:0.
  const provider = providers.find((candidate) => wanted.replace(/:\d+$/, '') === candidate);
  if (!provider)
    throw new MergeError(
      'MV585',
      `there is no device ${wanted}; onnxruntime's are ${platformProviders().join(', ')}`,
    );
  if (provider === 'cpu') return provider;
  const report = await probeProvider(provider, options);
  if (report.usable) return provider;
  const why = [report.reason, report.remedy].filter(Boolean).join('; ');
  throw new MergeError('MV585', `${wanted} cannot be used: ${why}`, { fault: 'system' });
}

/** Whether the CUDA part of the runtime is there at all, which spares a probe on most machines. */
function hasCudaProvider(): boolean {
  if (!platformProviders().includes('cuda')) return false;
  const name = `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`;
  try {
    return existsSync(join(dirname(runtimePath()), '..', name));
  } catch {
    return false;
  }
}

/** Path of the runtime's main file; it is not loaded here. */
function runtimePath(): string {
  return createRequire(__filename).resolve('onnxruntime-node');
}

/** y = x·x + x on two by two numbers, whose answer is known. */
function probeModel(): Uint8Array {
  const graph = new OnnxGraph();
  const x = graph.input('x', 'float', [2, 2]);
  graph.output('y', graph.node('Add', [graph.node('MatMul', [x, x]), x]));
  return graph.encode();
}

/** What the child runs; its arguments are the runtime's path, the provider and the model. */
const probeScript = `
const [runtime, provider, model] = process.argv.slice(1);
const onnx = require(runtime);
(async () => {
  const options = { executionProviders: [provider], logSeverityLevel: 4 };
  const session = await onnx.InferenceSession.create(Buffer.from(model, 'base64'), options);
  const x = new onnx.Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]);
  const { y } = await session.run({ x });
  const right = [8, 12, 18, 26].every((value, i) => Math.abs(y.data[i] - value) < 1e-3);
  process.stdout.write(JSON.stringify(right ? {} : { reason: 'it computes wrong numbers' }), () => process.exit(0));
})().catch((error) => {
  process.stdout.write(JSON.stringify({ reason: String(error.message).split('\\n')[0] }), () => process.exit(0));
});
`;

/** The reason why the provider does not work, or undefined when it does. */
function runProbe(provider: Provider, options: ProbeOptions): Promise<string | undefined> {
  const model = Buffer.from(probeModel()).toString('base64');
  const { signal, timeoutMs = 30_000 } = options;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['-e', probeScript, runtimePath(), provider, model],
      {
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
        ...(signal ? { signal } : {}),
      },
      (error, stdout) => resolve(reasonOf(stdout, error)),
    );
  });
}

function reasonOf(stdout: string, error: ExecFileException | null): string | undefined {
  if (stdout !== '') {
    const { reason } = JSON.parse(stdout) as { readonly reason?: string };
    return reason?.replace(/^\S*onnxruntime_src\S* .*?was false\. /, '');
  }
  if (error?.signal) return `the process that tried it was ended by ${error.signal}`;
  return `the process that tried it failed (${error?.message.split('\n')[0] ?? 'without a word'})`;
}
