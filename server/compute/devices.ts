import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

/** Node has it; its types belong to the DOM library, which server code does not see. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

/** What a device can be asked to do. */
export type Work = 'merge' | 'policy';

/** One thing to compute with. */
export interface Device {
  /** What `run.device` takes: `cpu`, `cuda:0` … */
  readonly id: string;
  readonly name: string;
  readonly kind: 'cpu' | 'gpu';
  readonly backend: string;
  readonly threads?: number;
  readonly memoryBytes?: { readonly total: number; readonly available: number };
  readonly runs: readonly Work[];
  /** Why it can run less than other devices of its kind; one sentence. */
  readonly reason?: string;
}

/** The devices of this machine, the processor first. Never fails: what cannot be read is not listed. */
export function listDevices(): Device[] {
  return [describeCpu(), ...listNvidiaCards()];
}

function describeCpu(): Device {
  const simd = WebAssembly.validate(simdModule);
  const limit = memoryLimit();
  const total = Math.min(totalmem(), limit?.total ?? Infinity);
  const available = Math.min(availableMemory(), limit?.available ?? Infinity);
  return {
    id: 'cpu',
    name: cpus()[0]?.model.trim() ?? process.arch,
    kind: 'cpu',
    backend: simd ? 'WebAssembly SIMD' : 'TypeScript',
    threads: availableParallelism(),
    memoryBytes: { total, available },
    runs: ['merge', 'policy'],
    ...(!simd && {
      reason: 'WebAssembly SIMD is not available here, so merges run about 10 times slower',
    }),
  };
}

/** A function whose body makes a 128-bit zero: valid only where SIMD is. */
const simdModule = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...[1, 5, 1, 96, 0, 1, 123],
  ...[3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Memory that can be had without swapping: free pages and the file cache on Linux. */
function availableMemory(): number {
  const line = readText('/proc/meminfo')?.match(/^MemAvailable:\s+(\d+) kB$/m);
  return line ? Number(line[1]) * 1024 : freemem();
}

/** The limit of the control group that the process runs in, as containers and Slurm set it. */
function memoryLimit(): { total: number; available: number } | undefined {
  const limit = Number(readText('/sys/fs/cgroup/memory.max'));
  const used = Number(readText('/sys/fs/cgroup/memory.current'));
  if (!Number.isFinite(limit) || limit <= 0 || !Number.isFinite(used)) return undefined;
  return { total: limit, available: Math.max(0, limit - used) };
}

/** Cards that the NVIDIA driver lists, without starting any program. */
function listNvidiaCards(): Device[] {
  const folder = '/proc/driver/nvidia/gpus';
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.sort().map((name, index) => ({
    id: `cuda:${index}`,
    name: readText(`${folder}/${name}/information`)?.match(/^Model:\s+(.+)$/m)?.[1] ?? 'NVIDIA GPU',
    kind: 'gpu',
    backend: 'CUDA',
    runs: [],
    reason: 'merges are bound by the disk and run on the processor',
  }));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
