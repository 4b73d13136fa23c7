import { parse, relative } from 'node:path';
import { realpathSync } from 'node:fs';
import type * as OnnxModule from 'onnxruntime-node';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { MergeError } from '../protocol/merge-error';

export type { InferenceSession, Tensor };

/** The runtime's module. Loading it loads native code, so only jobs call this. */
export type Onnx = typeof OnnxModule;

export async function loadOnnx(): Promise<Onnx> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new MergeError('MV580', `onnxruntime cannot be loaded here: ${messageOf(cause)}`, {
      fault: 'system',
      cause,
    });
  }
}

export interface SessionOptions {
  /** The runtime's name of an execution provider. */
  readonly device: string;
  /** Which card of several. */
  readonly deviceId?: number | undefined;
  readonly threads?: number | undefined;
  /**
   * True keeps weights as they are stored and widens them while running. Folding the casts into
   * float32 constants would be faster to run and hold every weight twice.
   */
  readonly lean: boolean;
  /** The folder that `location`s of external weights are relative to. */
  readonly folder: string;
}

/** Makes a session from model bytes. Throws `MergeError` MV581 (memory) or MV582 with the runtime's reason. */
export async function createSession(
  onnx: Onnx,
  model: Uint8Array,
  options: SessionOptions,
): Promise<InferenceSession> {
  const { device, deviceId } = options;
  const provider = deviceId === undefined ? device : { name: device, deviceId };
  const session: Record<string, unknown> = {
    model_external_initializers_file_folder_path: options.folder,
  };
  try {
    return await onnx.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      extra: {
        session,
        ...(options.lean
          ? { optimization: { disable_specified_optimizers: 'ConstantFolding' } }
          : {}),
      },
    });
  } catch (cause) {
    throw runtimeError('the model could not be set up', options.device, cause);
  }
}

/** Runs a session; the runtime's failures become `MergeError`s. */
export async function runSession(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  device: string,
): Promise<Readonly<Record<string, Tensor>>> {
  try {
    return await session.run(feeds);
  } catch (cause) {
    throw runtimeError('the model could not be run', device, cause);
  }
}

/**
 * The folder that every external weight is relative to, and a file's place in it. The runtime refuses
 * absolute paths, `..` and links that leave the folder; the root of the drive holds them all, and
 * real paths have no links.
 */
export function externalRoot(files: readonly string[]): {
  readonly folder: string;
  readonly locate: (file: string) => string;
} {
  const real = new Map(files.map((file) => [file, realpathSync(file)]));
  const roots = new Set([...real.values()].map((file) => parse(file).root));
  if (roots.size > 1)
    throw new MergeError(
      'MV583',
      `the weights lie on different drives (${[...roots].join(', ')}), which onnxruntime cannot read together; copy them to one`,
    );
  const [folder = parse(process.cwd()).root] = roots;
  return {
    folder,
    locate: (file) => relative(folder, real.get(file) ?? realpathSync(file)).replaceAll('\\', '/'),
  };
}

function runtimeError(what: string, device: string, cause: unknown): MergeError {
  const message = messageOf(cause);
  const asked = /requested (?:a )?(?:buffer|memory)[^\d]*(\d+)|allocat\w+[^\d]*(\d{4,})/i.exec(
    message,
  );
  const bytes = Number(asked?.[1] ?? asked?.[2] ?? 0);
  if (bytes > 0 || /out of memory|bad_alloc|failed to allocate/i.test(message))
    return new MergeError(
      'MV581',
      `${what} on ${device}: out of memory${bytes > 0 ? ` when ${(bytes / 2 ** 20).toFixed(0)} MiB were asked for` : ''}`,
      { fault: 'system', cause, data: { device, bytes } },
    );
  return new MergeError('MV582', `${what} on ${device}: ${firstLine(message)}`, {
    fault: 'system',
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? text).trim();
}
