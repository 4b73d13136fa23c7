import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pairing } from '../protocol/routing';
import type { TensorReader } from '../tensors/reader';
import type { CheckpointFile, TensorInfo } from '../tensors/types';
import { missingTensor } from './errors';
import type { StatisticsFile } from './statistics';

/** Tensors under the names an expert gives them, without the prefix of their file. */
export type Tensors = ReadonlyMap<string, TensorInfo>;

/** How the router reads and scores (recipe key `router`). */
export interface RouterSettings {
  readonly pairing: Pairing;
  readonly temperature: number;
  /** Which hidden states are projected: 0 is the embedding, N the final, normed ones. */
  readonly hiddenEntry: number;
  readonly per: 'episode' | 'suite';
  /** Divisors of the raw scores, in task order (`offset: stored`). */
  readonly offsets?: Readonly<Record<Pairing, readonly number[]>>;
}

/** What differs between tasks. */
export interface TaskParts {
  /** Head and state projector: `model.…` and `proprio.fc1.…`. */
  readonly head: Tensors;
  readonly queries: TensorInfo;
  /** Writes the task's mask of one vector tensor, bit-packed, least significant bit first. */
  readonly readMask?: (name: string, target: Uint8Array) => void;
  /** Factor on the masked vector (EMR); 1 where absent. */
  readonly scale?: number;
  /** Bases [rank, d] of the two paths. */
  readonly basis?: { readonly task: TensorInfo; readonly action: TensorInfo };
}

/** A policy as it lies on disk, whatever form it has: headers only, plus small JSON files. */
export interface PolicyParts {
  /** Named in errors. */
  readonly where: string;
  /** Folder of `config.json`, tokenizer and preprocessor files. */
  readonly folder: string;
  readonly config: unknown;
  readonly preprocessor: unknown;
  readonly files: readonly CheckpointFile[];
  /** The VLM: weights, or what the vector is added to. */
  readonly model: Tensors;
  /** Merged task vector; absent for plain weights. */
  readonly vector?: Tensors;
  /** Names of vector tensors that have masks. */
  readonly masked: ReadonlySet<string>;
  readonly tasks: ReadonlyMap<string, TaskParts>;
  readonly statistics: StatisticsFile;
  readonly router?: RouterSettings;
}

const headPrefix = 'action_head.';
const proprioPrefix = 'proprio_projector.';
export const queriesName = 'action_queries.weight';

/** Splits a checkpoint's tensors into the VLM's and, by their own names, head and state projector. */
export function splitParts(tensors: Iterable<readonly [string, TensorInfo]>): {
  readonly model: Map<string, TensorInfo>;
  readonly head: Map<string, TensorInfo>;
} {
  const model = new Map<string, TensorInfo>();
  const head = new Map<string, TensorInfo>();
  for (const [name, info] of tensors)
    if (name.startsWith(headPrefix)) head.set(name.slice(headPrefix.length), info);
    else if (name.startsWith(proprioPrefix))
      head.set(`proprio.${name.slice(proprioPrefix.length)}`, info);
    else model.set(name, info);
  return { model, head };
}

export function queriesOf(model: Tensors, where: string): TensorInfo {
  const queries = model.get(queriesName);
  if (!queries) throw missingTensor(queriesName, where);
  return queries;
}

/** Folder of the small files, and what the picture preprocessor's says. */
export function folderParts(folder: string): Pick<PolicyParts, 'folder' | 'preprocessor'> {
  return { folder, preprocessor: readJsonFile(join(folder, 'preprocessor_config.json')) };
}

/** Parsed JSON, or undefined where there is no such file. Throws on damaged JSON. */
export function readJsonFile(path: string): unknown {
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** A whole small tensor as float32, row-major. */
export function readWhole(reader: TensorReader, info: TensorInfo): Float32Array {
  const values = new Float32Array(info.elements);
  reader.readFloat32(info, 0, values);
  return values;
}
